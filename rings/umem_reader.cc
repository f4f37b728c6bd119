#include "rings/umem_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "rings/prefetch.h"
#include "rings/umem_rings.h"

// Newer than the kernel headers that may be installed: linux/if_xdp.h.
#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0)  // NOLINT(modernize-macro-to-enum)
#endif

namespace weir {
namespace {

constexpr size_t kTogetherBytes = size_t{2} << 20;
static_assert(kTogetherBytes >= UmemReader::kLargestFrame &&
                  kTogetherBytes >= size_t{kBatchFrames} * 16 * 1024,
              "a batch of jumbo frames fits");

constexpr uint32_t kMostPieces = 4 * kBatchFrames;  // looked at in one call

bool Continued(const xdp_desc& piece) { return (piece.options & XDP_PKT_CONTD) != 0; }

}  // namespace

absl::StatusOr<UmemReader> UmemReader::Create() {
  auto together = HugeMemory::Create(kTogetherBytes, "frames of several pieces");
  if (!together.ok()) return together.status();
  UmemReader reader;
  reader.together_ = *std::move(together);
  return reader;
}

size_t UmemReader::Take(UmemRings& rings, std::span<Frame> frames, int64_t timestamp_ns,
                        uint32_t snap_length) {
  const uint32_t available = rings.Available(kMostPieces);
  size_t count = 0;
  uint32_t next = 0;
  while (next < available && count < frames.size()) {
    const xdp_desc& piece = rings.Peek(next);
    Frame& frame = frames[count];
    frame = {};
    uint32_t pieces = 1;
    if (Continued(piece)) [[unlikely]] {
      pieces = PutTogether(rings, next, available, frame);
      if (pieces == 0) break;  // the rest is not there yet, or there is no room before Release
    } else {
      frame.data = rings.Bytes(piece);
      frame.wire_length = piece.len;
      // The bytes lie in no order that the processor could guess.
      PrefetchToRead(frame.data);
      PrefetchToRead(frame.data + 64);
    }
    frame.captured_length = std::min(frame.wire_length, snap_length);
    frame.timestamp_ns = timestamp_ns;
    ++count;
    next += pieces;
  }
  rings.Consume(next);
  return count;
}

// A frame of several pieces becomes one; returns how many they are.
uint32_t UmemReader::PutTogether(const UmemRings& rings, uint32_t first, uint32_t available,
                                 Frame& frame) {
  uint32_t last = first;
  size_t bytes = rings.Peek(first).len;
  while (Continued(rings.Peek(last))) {
    if (++last == available) return 0;
    bytes += rings.Peek(last).len;
  }
  const size_t kept = std::min(bytes, kLargestFrame);
  if (kept > together_.bytes() - together_used_) return 0;
  uint8_t* const start = together_.data() + together_used_;
  size_t copied = 0;
  for (uint32_t i = first; i <= last; ++i) {
    const xdp_desc& piece = rings.Peek(i);
    const size_t part = std::min<size_t>(piece.len, kept - copied);
    std::memcpy(start + copied, rings.Bytes(piece), part);
    copied += part;
  }
  together_used_ += (kept + 63) / 64 * 64;
  together_used_ = std::min(together_used_, together_.bytes());
  frame.data = start;
  frame.wire_length = static_cast<uint32_t>(bytes);
  return last - first + 1;
}

}  // namespace weir

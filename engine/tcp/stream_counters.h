// The ledger of TCP payload: every payload byte ends in exactly one counter.
//
//   payload = delivered + retransmitted + refused{reason} + buffered
//
// Lost bytes, which nobody captured, are counted apart. Thread: written by the shard only; a copy
// is a snapshot. Plain sums.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

// Why payload was neither delivered nor a repetition.
enum class Refused : uint8_t {
  kLate,          // its place was announced as a hole
  kBeforeStart,   // before the first byte of a stream that was joined in the middle
  kOutOfWindow,   // too far from what is expected
  kAfterEnd,      // behind the FIN, or carried by a RST
  kDepth,         // behind the depth
  kStopped,       // the embedder stopped the stream, or bypassed the flow
  kChecksum,      // wrong checksum, where those are dropped
  kNoConnection,  // no room for one more connection
  kCount,
};
inline constexpr size_t kRefusedReasons = static_cast<size_t>(Refused::kCount);

// Why a hole was given up.
enum class HoleReason : uint8_t {
  kAcknowledged,  // the receiver has these bytes, the capture has not
  kStreamLimit,   // StreamOptions::stream_bytes, stream_pieces
  kMemory,        // StreamOptions::memory_bytes
  kTimeout,       // StreamOptions::hole_timeout_ns
  kTruncated,     // captured shorter than it was sent
  kWindow,        // the stream went on out of StreamOptions::max_window
  kEnd,           // the stream ended
  kCount,
};
inline constexpr size_t kHoleReasons = static_cast<size_t>(HoleReason::kCount);

struct StreamCounters {
  // Bytes.
  uint64_t payload = 0;
  uint64_t delivered = 0;
  uint64_t retransmitted = 0;  // repeated, or replaced by what the overlap policy prefers
  std::array<uint64_t, kRefusedReasons> refused{};
  uint64_t buffered = 0;  // now
  std::array<uint64_t, kHoleReasons> lost{};
  uint64_t conflicting = 0;  // that contradicted what was there
  uint64_t uncompared = 0;   // retransmitted, and no longer in the history

  // Counts.
  uint64_t segments = 0;      // with payload
  uint64_t out_of_order = 0;  // segments that were early
  std::array<uint64_t, kHoleReasons> holes{};
  uint64_t conflicts = 0;  // overlaps that contradicted

  uint64_t memory_bytes = 0;  // in use now

  uint64_t RefusedTotal() const;
  uint64_t LostTotal() const;
  bool Balanced() const { return payload == delivered + retransmitted + RefusedTotal() + buffered; }
  void Add(const StreamCounters& other);
};

// One stream, since its start.
struct StreamTotals {
  uint64_t delivered = 0;  // bytes
  uint64_t lost = 0;
  uint64_t retransmitted = 0;
  uint32_t out_of_order = 0;  // segments
  uint32_t conflicts = 0;     // contradictory overlaps
};

// Names as they stand in EVE, Prometheus and reports.
std::string_view Name(Refused reason);
std::string_view Name(HoleReason reason);

}  // namespace weir

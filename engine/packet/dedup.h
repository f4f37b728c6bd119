// Drops the second copy of a frame.
//
//   kLoopback  a copy is a duplicate only if its direction pairs with the first one's (outgoing,
//              then host: as `lo` shows every packet), once; equal packets that were really sent
//              twice stay
//   kContent   the same bytes, after optional masks, within a time window and a depth
//
// The depth counts frames that entered the window: all but duplicates, which enter with `refresh`
// only. A frame is a duplicate when an equal one is among the last `depth` of them and no more than
// `window_ns` away in time, forward or back. Content is the captured bytes and a VLAN tag that the
// kernel took out of them. In loopback mode the copy pairs with the first of the equal frames that
// still wait for theirs.
//
// Cost does not depend on the depth. Memory is taken at construction. Thread: the shard's own.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/packet/packet.h"
#include "rings/frame.h"

namespace weir {

enum class DedupMode : uint8_t { kOff, kLoopback, kContent };

// Bits of DedupOptions::ignore: bytes that may differ between copies.
namespace dedup_ignore {
inline constexpr uint8_t kMac = 0x01;   // link header up to the first VLAN tag or network header
inline constexpr uint8_t kVlan = 0x02;  // VLAN tags, stripped or not
inline constexpr uint8_t kTtl = 0x04;   // TTL or hop limit, and the IPv4 header checksum with it
inline constexpr uint8_t kChecksum = 0x08;  // IPv4 header and transport checksums
}  // namespace dedup_ignore

struct DedupOptions {
  DedupMode mode = DedupMode::kOff;
  int64_t window_ns = 1'000'000;  // a copy exactly this much later is still one; 0 = no time limit
  uint32_t depth = 256;           // frames that a copy may lie behind the first
  uint8_t ignore = 0;             // dedup_ignore
  bool refresh = false;           // content: a duplicate starts the window anew
  uint64_t seed = 0;              // of the content hash; 0 = taken from getrandom(2)
};

struct DedupCounters {
  uint64_t seen = 0;
  uint64_t duplicates = 0;
  uint64_t depth_exceeded = 0;    // frames at which `depth` frames covered less than the window
  int64_t covered_window_ns = 0;  // time that the depth covers now
  int64_t least_covered_window_ns = 0;  // the least so far; 0 = the depth was never filled
};

class Dedup {
 public:
  explicit Dedup(const DedupOptions& options);
  ~Dedup();
  Dedup(const Dedup&) = delete;
  Dedup& operator=(const Dedup&) = delete;

  // Sets packets[i].verdict to Verdict::kDuplicate where frames[i] is a second copy. Frames that
  // are kFiltered take no part; all others do, IP or not. The packets' offsets are read for masks
  // only.
  void Apply(std::span<const Frame> frames, std::span<Packet> packets);

  // Whole frames alone, without a decoder in front: true when `frame` is a second copy. Masks need
  // Apply.
  bool IsDuplicate(const Frame& frame);

  const DedupCounters& counters() const;
  size_t memory_bytes() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir

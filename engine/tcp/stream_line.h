// What is known of one stream: one cache line, so that a segment in order costs one.
#pragma once

#include <cstdint>

namespace weir {

struct alignas(64) StreamLine {
  static constexpr uint32_t kNone = UINT32_MAX;

  // Flags.
  static constexpr uint16_t kBegun = 1;
  static constexpr uint16_t kEnded = 2;
  static constexpr uint16_t kQueued = 4;    // `queue` is one: something waits, or is kept
  static constexpr uint16_t kEach = 8;      // each segment is looked at: policy or history
  static constexpr uint16_t kStray = 16;    // the last segment was out of the window
  static constexpr uint16_t kWaiting = 32;  // the sink was told so
  static constexpr uint16_t kMidstream = 256;
  // Why it ended, where that matters to what comes later; none: FIN, RST, end of the flow.
  static constexpr uint16_t kEndedByDepth = 64;
  static constexpr uint16_t kEndedByStop = 128;
  static constexpr uint16_t kNotSimple = kEnded | kQueued | kEach | kStray;

  // Bytes up to here are delivered or lost: settled. `next` is the sequence number of this place.
  uint64_t offset;
  uint64_t depth;  // the most that `offset` may become
  uint64_t lost;
  uint64_t retransmitted;
  uint32_t next;
  uint32_t queue;  // index of a StreamQueue
  uint32_t owner;
  uint32_t out_of_order;
  uint32_t conflicts;
  uint32_t last_hole;   // its number in LostRanges
  uint32_t stray_next;  // behind the last segment that was out of the window
  uint16_t strays;      // of these, that followed upon each other
  uint16_t flags;

  bool begun() const { return (flags & kBegun) != 0; }
  bool ended() const { return (flags & kEnded) != 0; }
  bool queued() const { return (flags & kQueued) != 0; }
  // Begun, and nothing to be done but to count bytes that are in order.
  bool simple() const { return (flags & (kBegun | kNotSimple)) == kBegun; }
};
static_assert(sizeof(StreamLine) == 64);

}  // namespace weir

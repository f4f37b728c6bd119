// When batches of frames leave, at a rate: the time of frame n is that of the first one plus what
// the frames before n take at that rate, so that nothing drifts.
//
// Time is an argument (CLOCK_MONOTONIC, ns); WaitUntil reads the clock. Thread: one.
#pragma once

#include <cstdint>

namespace weir::load {

// Of each frame on the wire of an Ethernet: preamble and start 8, FCS 4, gap 12 (IEEE 802.3).
inline constexpr uint32_t kWireOverheadBytes = 24;

class Pacer {
 public:
  // One of the two; both 0: everything leaves at once.
  Pacer(double packets_per_second, double bits_per_second);

  struct Place {
    int64_t due_ns = 0;  // when the batch leaves
    int64_t gap_ns = 0;  // how long its frames take at the rate
  };

  bool paced() const { return packets_per_second_ > 0 || bits_per_second_ > 0; }

  // The place of the next batch; `now_ns` on the first call is the start. A batch that is late
  // leaves now, but half a gap after the one before at the earliest.
  Place Next(uint32_t frames, uint64_t wire_bytes, int64_t now_ns);

  // When the next batch is due, as far as the rate goes.
  int64_t due_ns() const { return start_ns_ + DurationNs(frames_, wire_bytes_); }

 private:
  int64_t DurationNs(uint64_t frames, uint64_t wire_bytes) const;

  double packets_per_second_;
  double bits_per_second_;
  int64_t start_ns_ = 0;
  uint64_t frames_ = 0;
  uint64_t wire_bytes_ = 0;
  Place last_;
};

// Sleeps while the time is far away and spins when it is near.
void WaitUntil(int64_t due_ns);

}  // namespace weir::load

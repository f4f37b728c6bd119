#include "tools/load/send/pacer.h"

#include <time.h>

#include <algorithm>

#include "rings/clock.h"

namespace weir::load {
namespace {

// A sleeper wakes up that late, usually: timer slack (prctl(2)) and the way through the scheduler.
constexpr int64_t kSleepErrorNs = 150'000;

}  // namespace

Pacer::Pacer(double packets_per_second, double bits_per_second)
    : packets_per_second_(packets_per_second), bits_per_second_(bits_per_second) {}

int64_t Pacer::DurationNs(uint64_t frames, uint64_t wire_bytes) const {
  if (packets_per_second_ > 0) {
    return static_cast<int64_t>(static_cast<double>(frames) * 1e9 / packets_per_second_);
  }
  if (bits_per_second_ > 0) {
    return static_cast<int64_t>(static_cast<double>(wire_bytes) * 8e9 / bits_per_second_);
  }
  return 0;
}

Pacer::Place Pacer::Next(uint32_t frames, uint64_t wire_bytes, int64_t now_ns) {
  if (!paced()) return {now_ns, 0};
  Place place{now_ns, DurationNs(frames, wire_bytes)};
  if (frames_ == 0) {
    start_ns_ = now_ns;
  } else {
    place.due_ns = std::max({due_ns(), now_ns, last_.due_ns + last_.gap_ns / 2});
  }
  frames_ += frames;
  wire_bytes_ += wire_bytes;
  last_ = place;
  return place;
}

void WaitUntil(int64_t due_ns) {
  if (due_ns - ReadClockNs(CLOCK_MONOTONIC) > kSleepErrorNs) {
    const int64_t wake_ns = due_ns - kSleepErrorNs;
    const timespec until = {wake_ns / 1'000'000'000, wake_ns % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  }
  while (ReadClockNs(CLOCK_MONOTONIC) < due_ns) {
  }
}

}  // namespace weir::load

// Which interval a time belongs to: epoch n is [origin + n * interval, origin + (n + 1) *
// interval).
//
// Shards with one origin have the same epochs. Origin 0 aligns them to the wall clock (multiples of
// the interval since 1970, UTC). Thread: one.
#pragma once

#include <cstdint>
#include <optional>

namespace weir {

class IntervalClock {
 public:
  // Frames are often a little out of order: a time before the open interval is taken for the
  // interval's. One that is before it by more than this (two captures joined) begins another.
  static constexpr int64_t kTolerance = 3'600'000'000'000;  // one hour

  // No origin: the first time is.
  IntervalClock(int64_t interval_ns, std::optional<int64_t> origin_ns)
      : interval_ns_(interval_ns), origin_ns_(origin_ns) {}

  bool open() const { return open_; }
  bool Passed(int64_t time_ns) const {
    return time_ns >= end_ns_ || time_ns < start_ns_ - kTolerance;
  }

  // Opens the interval that `time_ns` is in.
  void Open(int64_t time_ns) {
    if (!origin_ns_) origin_ns_ = time_ns;
    const int64_t since = time_ns - *origin_ns_;
    epoch_ = since / interval_ns_ - (since % interval_ns_ < 0);
    const int64_t start_ns = *origin_ns_ + epoch_ * interval_ns_;
    whole_ = open_ ? start_ns >= end_ns_ : start_ns == time_ns;
    start_ns_ = start_ns;
    end_ns_ = start_ns + interval_ns_;
    open_ = true;
  }

  int64_t epoch() const { return epoch_; }
  int64_t start_ns() const { return start_ns_; }
  int64_t end_ns() const { return end_ns_; }
  bool whole() const { return whole_; }  // watched from its start

 private:
  int64_t interval_ns_;
  std::optional<int64_t> origin_ns_;
  int64_t epoch_ = 0;
  int64_t start_ns_ = 0;
  int64_t end_ns_ = INT64_MIN;
  bool open_ = false;
  bool whole_ = false;
};

}  // namespace weir

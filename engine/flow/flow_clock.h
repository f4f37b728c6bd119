// The flow clock: packet time that never goes back.
//
// Frames are often a little out of order: the clock then stays where it is. A step back of more
// than kTolerance (two captures joined, a clock that was set) moves the clock's offset instead, so
// that time-outs go on from where they were. Thread: one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace weir {

class FlowClock {
 public:
  static constexpr int64_t kTolerance = 3'600'000'000'000;  // one hour

  // The year 2116. A time stamp beyond it, or before 1970, is taken for the nearer end.
  static constexpr int64_t kLatest = (int64_t{1} << 62) - 1;

  int64_t now_ns() const { return now_; }
  uint64_t regressions() const { return regressions_; }

  // Takes a frame's time stamp and returns it on this clock.
  int64_t Observe(int64_t timestamp_ns) {
    if (static_cast<uint64_t>(timestamp_ns) > static_cast<uint64_t>(kLatest)) [[unlikely]] {
      timestamp_ns = timestamp_ns < 0 ? 0 : kLatest;
    }
    const int64_t time = timestamp_ns + steps_[last_].offset;
    if (time >= now_) [[likely]] {
      now_ = std::min(time, kLatest);
      return now_;
    }
    return now_ - time <= kTolerance ? time : StepBack(timestamp_ns);
  }

  // Observe for loops: what it needs for nearly every frame, copied into registers.
  struct Pace {
    int64_t offset;
    int64_t now_ns;  // the clock's time, or the earliest that it can be
  };
  Pace pace() const { return {steps_[last_].offset, std::max(now_, steps_[last_].offset)}; }

  // Takes a time stamp that moves the clock on, or leaves it where it is: pace.now_ns is the
  // frame's time and the clock's. False, and nothing was done, for any other; after Observe took
  // it, `pace` is taken anew.
  bool Follow(Pace& pace, int64_t timestamp_ns) {
    const auto time = static_cast<int64_t>(static_cast<uint64_t>(timestamp_ns) +
                                           static_cast<uint64_t>(pace.offset));
    if (time < pace.now_ns || time > kLatest) [[unlikely]]
      return false;
    now_ = pace.now_ns = time;
    return true;
  }

  // The wire is silent; the world's clock shows `time_ns`.
  void AdvanceTo(int64_t time_ns) {
    now_ = std::max(now_, std::min(time_ns + steps_[last_].offset, kLatest));
  }

  // The time stamp that Observe turned into `time_ns`.
  int64_t ToTimestamp(int64_t time_ns) const {
    int step = last_;
    while (step > 0 && time_ns < steps_[step].from) --step;
    return time_ns - steps_[step].offset;
  }

 private:
  struct Step {
    int64_t from = 0;  // on this clock
    int64_t offset = 0;
  };

  int64_t StepBack(int64_t timestamp_ns) {
    ++regressions_;
    if (last_ + 1 == static_cast<int>(steps_.size())) {
      std::copy(steps_.begin() + 1, steps_.end(), steps_.begin());
      --last_;
    }
    steps_[++last_] = {now_, now_ - timestamp_ns};
    return now_;
  }

  int64_t now_ = INT64_MIN / 2;
  uint64_t regressions_ = 0;
  int last_ = 0;
  std::array<Step, 16> steps_{};
};

}  // namespace weir

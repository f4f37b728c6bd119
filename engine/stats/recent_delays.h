// The delays of about the last minute, out of a histogram that grows from the start.
//
// Whoever looks more rarely gets all that came since it looked last. Thread: one. Time is an
// argument. Keeps at most eight histograms.
#pragma once

#include <cstdint>
#include <deque>

#include "engine/stats/delay_histogram.h"

namespace weir {

class RecentDelays {
 public:
  static constexpr int64_t kWindowNs = 60'000'000'000;

  // `all`: the histogram as it stands at `time_ns`. Returns what was added since a minute ago, or
  // a little more; at first, what was added since the first call.
  DelayHistogram Update(int64_t time_ns, const DelayHistogram& all);

 private:
  static constexpr int64_t kStepNs = kWindowNs / 6;  // between those kept

  struct Snapshot {
    int64_t time_ns;
    DelayHistogram all;
  };
  std::deque<Snapshot> kept_;  // the oldest first
};

}  // namespace weir

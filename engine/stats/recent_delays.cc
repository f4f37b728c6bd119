#include "engine/stats/recent_delays.h"

namespace weir {

DelayHistogram RecentDelays::Update(int64_t time_ns, const DelayHistogram& all) {
  while (kept_.size() > 1 && kept_[1].time_ns <= time_ns - kWindowNs) kept_.pop_front();
  DelayHistogram recent = all;
  if (!kept_.empty()) recent.Subtract(kept_.front().all);
  if (kept_.empty() || time_ns - kept_.back().time_ns >= kStepNs) kept_.push_back({time_ns, all});
  return recent;
}

}  // namespace weir

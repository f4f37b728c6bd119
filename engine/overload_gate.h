// Refusing new flows while a ring is nearly full, so that the flows that are tracked already stay
// whole (--overload refuse-new). Pure: how full the ring is comes in, how much to refuse goes out.
//
// A step for each thirty-second of the ring beyond three quarters; the last step refuses every new
// flow. A step is taken back only when a quarter of the ring has become free since. Which flows a
// step refuses is up to their hash (FlowTracker::RefuseNew): those of one step are among those of
// the next, so a flow is refused as long as the step stands, not frame by frame.
#pragma once

#include <algorithm>
#include <cstdint>

#include "rings/frame_source.h"

namespace weir {

class OverloadGate {
 public:
  static constexpr uint32_t kSteps = 8;

  // How much to refuse from now on, in parts of kSteps. A source without a ring never fills.
  uint32_t Look(const RingFill& fill) {
    step_ = std::clamp(step_, StepAt(fill, 0), StepAt(fill, kHysteresis));
    return step_;
  }
  uint32_t step() const { return step_; }

 private:
  static constexpr uint32_t kParts = 32;
  static constexpr uint32_t kFirst = 24;  // parts filled at which the first step is taken
  static constexpr uint32_t kHysteresis = 8;
  static_assert(kFirst + kSteps == kParts);

  static uint32_t StepAt(const RingFill& fill, uint32_t more) {
    if (fill.units == 0) return 0;
    const uint64_t filled = uint64_t{fill.used} * kParts / fill.units + more;
    return filled < kFirst ? 0 : std::min(static_cast<uint32_t>(filled) - kFirst + 1, kSteps);
  }

  uint32_t step_ = 0;
};

}  // namespace weir

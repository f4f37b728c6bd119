#include "engine/overload_gate.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr uint32_t kUnits = 320;
RingFill Filled(uint32_t percent) { return {kUnits * percent / 100, kUnits}; }

TEST(OverloadGate, RefusesNothingBelowThreeQuartersAndAllAtTheEnd) {
  OverloadGate gate;
  EXPECT_EQ(gate.Look({}), 0u);
  EXPECT_EQ(gate.Look(Filled(74)), 0u);
  EXPECT_EQ(gate.Look(Filled(75)), 1u);
  EXPECT_EQ(gate.Look(Filled(100)), OverloadGate::kSteps);
}

TEST(OverloadGate, TakesEveryStepWhileTheRingFills) {
  OverloadGate gate;
  uint32_t last = 0;
  for (uint32_t used = 0; used <= kUnits; ++used) {
    const uint32_t step = gate.Look({used, kUnits});
    EXPECT_LE(step, last + 1);
    EXPECT_GE(step, last);
    last = step;
  }
  EXPECT_EQ(last, OverloadGate::kSteps);
}

TEST(OverloadGate, TakesAStepBackOnlyAfterAQuarterOfTheRing) {
  OverloadGate gate;
  gate.Look(Filled(90));
  const uint32_t step = gate.step();
  EXPECT_GT(step, 1u);
  EXPECT_EQ(gate.Look(Filled(70)), step);
  EXPECT_LT(gate.Look(Filled(60)), step);
  EXPECT_GT(gate.step(), 0u);
  EXPECT_EQ(gate.Look(Filled(49)), 0u);
}

TEST(OverloadGate, ASourceWithoutARingNeverRefuses) {
  OverloadGate gate;
  gate.Look(Filled(100));
  EXPECT_EQ(gate.Look({0, 0}), 0u);
}

}  // namespace
}  // namespace weir

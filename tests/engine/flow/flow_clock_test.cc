#include "engine/flow/flow_clock.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

constexpr int64_t kHour = FlowClock::kTolerance;

TEST(FlowClock, FollowsTimeStamps) {
  FlowClock clock;
  EXPECT_EQ(clock.Observe(1000), 1000);
  EXPECT_EQ(clock.Observe(2500), 2500);
  EXPECT_EQ(clock.now_ns(), 2500);
}

TEST(FlowClock, StaysWhereItIsForAFrameThatIsLate) {
  FlowClock clock;
  clock.Observe(kHour);
  EXPECT_EQ(clock.Observe(kHour - 5), kHour - 5);
  EXPECT_EQ(clock.now_ns(), kHour);
  EXPECT_EQ(clock.regressions(), 0u);
}

TEST(FlowClock, GoesOnFromWhereItWasWhenTimeStampsStepBack) {
  FlowClock clock;
  clock.Observe(10 * kHour);
  EXPECT_EQ(clock.Observe(kHour), 10 * kHour);
  EXPECT_EQ(clock.Observe(kHour + 7), 10 * kHour + 7);
  EXPECT_EQ(clock.regressions(), 1u);
}

TEST(FlowClock, GivesTheTimeStampBackOnBothSidesOfAStep) {
  FlowClock clock;
  const int64_t before = clock.Observe(10 * kHour - 3);
  clock.Observe(10 * kHour);
  clock.Observe(kHour);
  const int64_t after = clock.Observe(kHour + 7);
  EXPECT_EQ(clock.ToTimestamp(before), 10 * kHour - 3);
  EXPECT_EQ(clock.ToTimestamp(after), kHour + 7);
}

TEST(FlowClock, SurvivesMoreStepsThanItRemembers) {
  FlowClock clock;
  for (int i = 0; i < 100; ++i) {
    clock.Observe((200 - i) * 2 * kHour);
  }
  EXPECT_EQ(clock.regressions(), 99u);
  EXPECT_EQ(clock.ToTimestamp(clock.now_ns()), (200 - 99) * 2 * kHour);
}

TEST(FlowClock, NeverLeavesItsRangeWhateverTheTimeStamps) {
  FlowClock clock;
  for (const int64_t time : {INT64_MAX, INT64_MIN, INT64_MAX, int64_t{0}, INT64_MAX, INT64_MIN}) {
    clock.Observe(time);
    EXPECT_GE(clock.now_ns(), 0);
    EXPECT_LE(clock.now_ns(), FlowClock::kLatest);
  }
}

TEST(FlowClock, AdvancesWithoutFramesButNeverBack) {
  FlowClock clock;
  clock.Observe(500);
  clock.AdvanceTo(900);
  EXPECT_EQ(clock.now_ns(), 900);
  clock.AdvanceTo(100);
  EXPECT_EQ(clock.now_ns(), 900);
}

}  // namespace
}  // namespace weir

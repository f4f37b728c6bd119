#include "engine/stats/interval_clock.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(IntervalClockTest, TheFirstTimeIsTheOrigin) {
  IntervalClock clock(10, std::nullopt);
  EXPECT_TRUE(clock.Passed(0)) << "none is open";
  clock.Open(1'003);
  EXPECT_EQ(clock.start_ns(), 1'003);
  EXPECT_EQ(clock.end_ns(), 1'013);
  EXPECT_EQ(clock.epoch(), 0);
  EXPECT_TRUE(clock.whole());
  EXPECT_FALSE(clock.Passed(1'012));
  EXPECT_TRUE(clock.Passed(1'013));
}

TEST(IntervalClockTest, AnOriginOfZeroGivesMultiples) {
  IntervalClock clock(10, 0);
  clock.Open(1'003);
  EXPECT_EQ(clock.start_ns(), 1'000);
  EXPECT_EQ(clock.epoch(), 100);
  EXPECT_FALSE(clock.whole()) << "its start was missed";
  clock.Open(1'010);
  EXPECT_EQ(clock.epoch(), 101);
  EXPECT_TRUE(clock.whole());
}

TEST(IntervalClockTest, TimesBeforeTheOriginHaveEpochsBelowZero) {
  IntervalClock clock(10, 1'000);
  clock.Open(999);
  EXPECT_EQ(clock.epoch(), -1);
  EXPECT_EQ(clock.start_ns(), 990);
}

TEST(IntervalClockTest, ALittleBackIsTheSameIntervalAndFarBackIsAnother) {
  IntervalClock clock(10, std::nullopt);
  const int64_t start = 2 * IntervalClock::kTolerance;
  clock.Open(start);
  EXPECT_FALSE(clock.Passed(start - IntervalClock::kTolerance));
  EXPECT_TRUE(clock.Passed(start - IntervalClock::kTolerance - 1));
  clock.Open(5);
  EXPECT_LE(clock.start_ns(), 5);
  EXPECT_GT(clock.end_ns(), 5);
  EXPECT_FALSE(clock.whole());
}

}  // namespace
}  // namespace weir

#include "engine/stats/recent_delays.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace weir {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(RecentDelaysTest, TheFirstLookSeesAllThatIsThere) {
  DelayHistogram all;
  all.Add(10);
  EXPECT_EQ(RecentDelays().Update(0, all).count(), 1u);
}

// One delay a second, looked at as Prometheus does.
TEST(RecentDelaysTest, DelaysAreForgottenAfterAMinuteOrALittleMore) {
  for (const int64_t step : {1, 5, 15, 30, 60}) {
    RecentDelays recent;
    DelayHistogram all;
    for (int64_t second = 1; second <= 600; ++second) {
      all.Add(second);
      if (second % step != 0) continue;
      const uint64_t count = recent.Update(second * kSecond, all).count();
      if (second == step) continue;  // the first look
      const auto expected = static_cast<uint64_t>(std::min<int64_t>(second - step, 60));
      EXPECT_GE(count, expected) << step << " " << second;
      EXPECT_LE(count, expected + 15) << step << " " << second;
    }
  }
}

TEST(RecentDelaysTest, WhoLooksRarelySeesAllSinceTheLastLook) {
  RecentDelays recent;
  DelayHistogram all;
  recent.Update(0, all);
  for (int i = 0; i < 100; ++i) all.Add(7);
  EXPECT_EQ(recent.Update(3600 * kSecond, all).count(), 100u);
  EXPECT_EQ(recent.Update(7200 * kSecond, all).count(), 0u);
}

TEST(RecentDelaysTest, SeveralWhoLookDoNotTakeFromEachOther) {
  RecentDelays recent;
  DelayHistogram all;
  recent.Update(0, all);
  all.Add(7);
  EXPECT_EQ(recent.Update(5 * kSecond, all).count(), 1u);
  EXPECT_EQ(recent.Update(5 * kSecond, all).count(), 1u);
}

}  // namespace
}  // namespace weir

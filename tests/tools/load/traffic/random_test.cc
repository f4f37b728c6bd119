#include "tools/load/traffic/random.h"

#include "gtest/gtest.h"

namespace weir::load {
namespace {

TEST(RandomTest, NumbersAreThoseOfSplitMix64) {
  Random random(1'234'567);  // the reference implementation's first numbers for this seed
  EXPECT_EQ(random.Next(), 6'457'827'717'110'365'317u);
  EXPECT_EQ(random.Next(), 3'203'168'211'198'807'973u);
}

TEST(RandomTest, BelowReachesEveryNumberAndNoOther) {
  Random random(1);
  uint32_t seen[7] = {};
  for (int i = 0; i < 7'000; ++i) {
    const uint32_t number = random.Below(7);
    ASSERT_LT(number, 7u);
    ++seen[number];
  }
  for (uint32_t count : seen) EXPECT_NEAR(count, 1'000, 150);
}

TEST(RandomTest, ChanceIsTrueForItsShare) {
  Random random(1);
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) hits += random.Chance(ShareOf32Bits(0.05));
  EXPECT_NEAR(hits, 5'000, 300);
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_FALSE(random.Chance(ShareOf32Bits(0)));
    EXPECT_TRUE(random.Chance(ShareOf32Bits(1)));
  }
}

}  // namespace
}  // namespace weir::load

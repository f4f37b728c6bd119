#include "rings/latest_value.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>

namespace weir {
namespace {

void Write(LatestValue<int>& value, int what) {
  value.back() = what;
  value.Publish();
}

TEST(LatestValueTest, NothingIsNewBeforeTheFirstIsPublished) {
  LatestValue<int> value;
  EXPECT_FALSE(value.Update());
  EXPECT_EQ(value.front(), 0);
}

TEST(LatestValueTest, TheReaderSeesTheNewestAndKeepsIt) {
  LatestValue<int> value;
  for (int i = 1; i <= 5; ++i) Write(value, i);
  EXPECT_TRUE(value.Update());
  EXPECT_EQ(value.front(), 5);
  EXPECT_FALSE(value.Update());
  EXPECT_EQ(value.front(), 5);
}

TEST(LatestValueTest, WhatTheReaderHoldsIsNotWritten) {
  LatestValue<int> value;
  Write(value, 1);
  ASSERT_TRUE(value.Update());
  for (int i = 2; i <= 9; ++i) {
    Write(value, i);
    EXPECT_EQ(value.front(), 1);
  }
  EXPECT_TRUE(value.Update());
  EXPECT_EQ(value.front(), 9);
}

TEST(LatestValueTest, WhatIsNotPublishedIsNotSeen) {
  LatestValue<int> value;
  Write(value, 1);
  value.back() = 2;
  EXPECT_TRUE(value.Update());
  EXPECT_EQ(value.front(), 1);
  EXPECT_FALSE(value.Update());
}

// Large enough that a value which is read while it is written would be torn.
TEST(LatestValueTest, AcrossThreadsValuesAreWholeAndNeverGoBack) {
  using Wide = std::array<uint64_t, 64>;
  constexpr uint64_t kLast = 50'000;
  const auto value = std::make_unique<LatestValue<Wide>>();
  std::thread writer([&] {
    for (uint64_t i = 1; i <= kLast; ++i) {
      value->back().fill(i);
      value->Publish();
    }
  });
  uint64_t torn = 0, backwards = 0, seen = 0;
  while (seen != kLast) {
    if (!value->Update()) continue;
    const Wide& now = value->front();
    for (const uint64_t word : now) torn += word != now[0];
    backwards += now[0] <= seen;
    seen = now[0];
  }
  writer.join();
  EXPECT_EQ(torn, 0u);
  EXPECT_EQ(backwards, 0u);
}

}  // namespace
}  // namespace weir

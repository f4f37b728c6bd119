#include "engine/flow/flow_timers.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace weir {
namespace {

constexpr uint32_t kNone = UINT32_MAX;
constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kTick = int64_t{1} << FlowTimers::kTickShift;

class FlowTimersTest : public ::testing::Test {
 protected:
  Arena arena_ = *Arena::Create(FlowTimers::MemoryBytes(1000));
  FlowTimers timers_{1000, arena_};
};

TEST_F(FlowTimersTest, FiresOnceTheDeadlineHasPassedAndWithinOneTick) {
  timers_.Arm(3, 100 * kSecond, 160 * kSecond);
  EXPECT_EQ(timers_.PopDue(160 * kSecond), kNone);
  EXPECT_EQ(timers_.PopDue(160 * kSecond + kTick), 3u);
  EXPECT_EQ(timers_.PopDue(161 * kSecond), kNone);
}

TEST_F(FlowTimersTest, ADisarmedSlotNeverFires) {
  timers_.Arm(3, 0, kSecond);
  timers_.Arm(4, 0, kSecond);
  timers_.Disarm(3);
  EXPECT_EQ(timers_.PopDue(2 * kSecond), 4u);
  EXPECT_EQ(timers_.PopDue(2 * kSecond), kNone);
}

TEST_F(FlowTimersTest, ADeadlineBeyondTheHorizonFiresEarlySoThatItCanBeArmedAgain) {
  const int64_t deadline = int64_t{100'000} * 24 * 3600 * kSecond;
  timers_.Arm(1, 0, deadline);
  timers_.Arm(2, 0, 5 * kSecond);
  EXPECT_EQ(timers_.PopDue(6 * kSecond), 2u);
  EXPECT_EQ(timers_.PopDue(100 * kSecond), kNone);
  EXPECT_EQ(timers_.PopDue(1000 * kSecond), 1u);
}

TEST_F(FlowTimersTest, ALeapOfDecadesFiresEverythingAndTakesNoTime) {
  for (uint32_t slot = 0; slot < 1000; ++slot)
    timers_.Arm(slot, kSecond, (1 + slot % 300) * kSecond);
  const int64_t far = int64_t{80} * 365 * 24 * 3600 * kSecond;
  std::set<uint32_t> fired;
  for (uint32_t slot; (slot = timers_.PopDue(far)) != kNone;) {
    fired.insert(slot);
    if (fired.size() % 2 == 0) timers_.Arm(slot, far, far + kSecond);
  }
  EXPECT_EQ(fired.size(), 1000u);
  EXPECT_GT(timers_.NextDue(), far);
}

TEST_F(FlowTimersTest, NextDueTellsTheNextTick) {
  EXPECT_EQ(timers_.NextDue(), INT64_MAX);
  timers_.Arm(1, 10 * kSecond, 20 * kSecond);
  EXPECT_GE(timers_.NextDue(), 20 * kSecond);
  EXPECT_LE(timers_.NextDue(), 20 * kSecond + kTick);
}

TEST_F(FlowTimersTest, AgreesWithAMapOfDeadlines) {
  std::map<uint32_t, int64_t> model;
  std::mt19937_64 random(2);
  int64_t now = 1'700'000'000 * kSecond;
  for (int step = 0; step < 100'000; ++step) {
    const auto slot = static_cast<uint32_t>(random() % 1000);
    const auto timeout = static_cast<int64_t>(random() % (400 * kSecond));
    if (model.contains(slot)) {
      timers_.Disarm(slot);
      model.erase(slot);
    } else {
      timers_.Arm(slot, now, now + timeout);
      model[slot] = now + timeout;
    }
    now += static_cast<int64_t>(random() % (random() % 50 == 0 ? 100 * kSecond : kSecond / 10));
    for (uint32_t due; (due = timers_.PopDue(now)) != kNone;) {
      ASSERT_TRUE(model.contains(due));
      ASSERT_LE(model[due], now);
      model.erase(due);
    }
    for (const auto& [armed, deadline] : model) {
      if (step % 1000 == 0) {
        ASSERT_GT(deadline + kTick, now) << "slot " << armed << " is late";
      }
    }
  }
}

}  // namespace
}  // namespace weir

#include "tools/load/send/pacer.h"

#include <gtest/gtest.h>

#include "rings/clock.h"

namespace weir::load {
namespace {

constexpr int64_t kStart = 5'000'000'000;

TEST(Pacer, WithoutARateEachBatchIsDueNow) {
  Pacer pacer(0, 0);
  EXPECT_EQ(pacer.Next(64, 6400, kStart).due_ns, kStart);
  EXPECT_EQ(pacer.Next(64, 6400, kStart + 1).due_ns, kStart + 1);
}

TEST(Pacer, AMillionthBatchIsWhereTheRateSaysItIs) {
  Pacer pacer(3'000'000, 0);  // a third of a microsecond does not divide
  for (int i = 0; i < 1'000'000; ++i) pacer.Next(3, 0, kStart);
  EXPECT_EQ(pacer.due_ns(), kStart + 1'000'000'000);
}

TEST(Pacer, BitsCountTheWholeWire) {
  Pacer pacer(0, 10e9);
  pacer.Next(1, 60 + kWireOverheadBytes, kStart);
  EXPECT_EQ(pacer.Next(1, 60 + kWireOverheadBytes, kStart).due_ns, kStart + 67);  // 14.88 Mpps
}

TEST(Pacer, ALateBatchLeavesAtOnceAndTheScheduleStays) {
  Pacer pacer(1'000'000, 0);
  pacer.Next(10, 0, kStart);
  EXPECT_EQ(pacer.Next(10, 0, kStart + 13'000).due_ns, kStart + 13'000);  // due at 10,000
  EXPECT_EQ(pacer.Next(10, 0, kStart + 13'000).due_ns, kStart + 20'000);
}

TEST(Pacer, WhatWasMissedIsCaughtUpAtTwiceTheRateAtMost) {
  Pacer pacer(1'000'000, 0);
  pacer.Next(10, 0, kStart);
  int64_t last_ns = pacer.Next(10, 0, kStart + 1'000'000).due_ns;
  for (int i = 0; i < 50; ++i) {
    const int64_t due_ns = pacer.Next(10, 0, kStart + 1'000'000).due_ns;
    EXPECT_EQ(due_ns - last_ns, 5'000);
    last_ns = due_ns;
  }
}

TEST(Pacer, CatchesUpInTheEnd) {
  Pacer pacer(1'000'000, 0);
  pacer.Next(10, 0, kStart);
  int64_t now_ns = kStart + 1'000'000;
  for (int i = 0; i < 300; ++i) now_ns = pacer.Next(10, 0, now_ns).due_ns;
  EXPECT_EQ(now_ns, kStart + 300 * 10'000);
}

TEST(WaitUntil, DoesNotReturnBefore) {
  for (const int64_t wait_ns : {-1'000, 0, 20'000, 3'000'000}) {
    const int64_t due_ns = ReadClockNs(CLOCK_MONOTONIC) + wait_ns;
    WaitUntil(due_ns);
    EXPECT_GE(ReadClockNs(CLOCK_MONOTONIC), due_ns);
  }
}

}  // namespace
}  // namespace weir::load

#include "engine/stats/shard_counters.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

ShardCounters OneShard() {
  ShardCounters one;
  one.shards = 1;
  one.ledger.received = 10;
  one.source.received = 10;
  one.source.ring_dropped = 3;
  one.dedup.seen = 4;
  one.fragments.completed = 5;
  one.flows.started = 6;
  one.flows.ended[static_cast<size_t>(FlowEnd::kIdle)] = 2;
  one.flows_alive = 7;
  one.flow_capacity = 8;
  one.ring = {.used = 9, .units = 11};
  one.joined_intervals = 12;
  one.time_ns = 1'000;
  return one;
}

TEST(ShardCountersTest, SumsAreOfEveryPart) {
  ShardCounters sum = OneShard();
  sum.Add(OneShard());
  EXPECT_EQ(sum.shards, 2);
  EXPECT_EQ(sum.ledger.received, 20);
  EXPECT_EQ(sum.source.received, 20);
  EXPECT_EQ(sum.source.ring_dropped, 6);
  EXPECT_EQ(sum.dedup.seen, 8);
  EXPECT_EQ(sum.fragments.completed, 10);
  EXPECT_EQ(sum.flows.started, 12);
  EXPECT_EQ(sum.flows.ended[static_cast<size_t>(FlowEnd::kIdle)], 4);
  EXPECT_EQ(sum.flows_alive, 14);
  EXPECT_EQ(sum.flow_capacity, 16);
  EXPECT_EQ(sum.ring.used, 18);
  EXPECT_EQ(sum.ring.units, 22);
  EXPECT_EQ(sum.joined_intervals, 24);
  EXPECT_EQ(sum.lost(), 6);
}

TEST(ShardCountersTest, TheEmptySumChangesNothing) {
  ShardCounters sum;
  sum.Add(OneShard());
  sum.Add(ShardCounters());
  EXPECT_EQ(sum.shards, 1);
  EXPECT_EQ(sum.source.ring_dropped, 3) << "known, though the empty sum does not know";
  EXPECT_EQ(sum.time_ns, 1'000);
}

TEST(ShardCountersTest, WhatOneShardDoesNotKnowIsUnknown) {
  ShardCounters silent = OneShard();
  silent.source.ring_dropped.reset();
  for (const bool first : {false, true}) {
    ShardCounters sum = first ? silent : OneShard();
    sum.Add(first ? OneShard() : silent);
    EXPECT_EQ(sum.source.ring_dropped, std::nullopt);
  }
}

TEST(ShardCountersTest, TheShortestDedupWindowCounts) {
  ShardCounters sum = OneShard();  // its depth was never filled
  ShardCounters other = OneShard();
  other.dedup.least_covered_window_ns = 500;
  sum.Add(other);
  EXPECT_EQ(sum.dedup.least_covered_window_ns, 500);
  other.dedup.least_covered_window_ns = 300;
  sum.Add(other);
  EXPECT_EQ(sum.dedup.least_covered_window_ns, 300);
}

TEST(ShardCountersTest, TimeIsTheLatest) {
  ShardCounters sum = OneShard();
  ShardCounters later = OneShard();
  later.time_ns = 2'000;
  sum.Add(later);
  sum.Add(OneShard());
  EXPECT_EQ(sum.time_ns, 2'000);
}

}  // namespace
}  // namespace weir

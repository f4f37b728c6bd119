#include "engine/stats/counters_merger.h"

#include <gtest/gtest.h>

#include <numeric>

namespace weir {
namespace {

// A snapshot of one shard, in which host 10.0.0.`shard` sent `packets` of 100 bytes to 10.0.0.99.
std::unique_ptr<Snapshot> Make(uint32_t shard, int64_t first_epoch, int64_t last_epoch,
                               uint64_t packets, bool last = false) {
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->shard = shard;
  snapshot->first_epoch = first_epoch;
  snapshot->last_epoch = last_epoch;
  snapshot->start_ns = first_epoch * 10;
  snapshot->end_ns = (last_epoch + 1) * 10;
  snapshot->complete = first_epoch == last_epoch;
  snapshot->last = last;
  snapshot->counters.shards = 1;
  snapshot->tracked_packets = packets;
  snapshot->tracked_bytes = packets * 100;
  snapshot->deltas = *IntervalDeltas::Create({.flows = 4, .addresses = 4});
  const uint8_t source[] = {10, 0, 0, static_cast<uint8_t>(shard)};
  const uint8_t destination[] = {10, 0, 0, 99};
  if (packets > 0) {
    snapshot->deltas->CountAddresses(AddressFamily::kIpv4, source, destination,
                                     static_cast<uint32_t>(packets), packets * 100);
  }
  return snapshot;
}

std::vector<std::unique_ptr<CountersReport>> TakeAll(CountersMerger& merger) {
  std::vector<std::unique_ptr<CountersReport>> reports;
  while (auto report = merger.Take()) reports.push_back(std::move(report));
  return reports;
}

TEST(CountersMergerTest, AReportWaitsForEveryShard) {
  CountersMerger merger({.shards = 2});
  merger.Add(*Make(0, 5, 5, 3));
  EXPECT_EQ(merger.Take(), nullptr);
  merger.Add(*Make(1, 5, 5, 4));
  const auto report = merger.Take();
  ASSERT_NE(report, nullptr);
  EXPECT_TRUE(report->complete);
  EXPECT_TRUE(report->Balanced());
  EXPECT_EQ(report->tracked_packets, 7);
  EXPECT_EQ(report->addresses.rows().size(), 3);
  EXPECT_EQ(report->start_ns, 50);
  EXPECT_EQ(report->end_ns, 60);
  EXPECT_FALSE(report->last);
  EXPECT_EQ(merger.Take(), nullptr);
}

TEST(CountersMergerTest, ShardsMayBeAnIntervalApart) {
  CountersMerger merger({.shards = 2});
  merger.Add(*Make(0, 0, 0, 1));
  merger.Add(*Make(0, 1, 1, 2));
  merger.Add(*Make(1, 0, 0, 4));
  const auto first = TakeAll(merger);
  ASSERT_EQ(first.size(), 1);
  EXPECT_EQ(first[0]->tracked_packets, 5);
  merger.Add(*Make(1, 1, 1, 8));
  const auto second = TakeAll(merger);
  ASSERT_EQ(second.size(), 1);
  EXPECT_EQ(second[0]->tracked_packets, 10);
  EXPECT_TRUE(second[0]->complete);
}

// One shard had no empty table in time: its snapshot covers two intervals.
TEST(CountersMergerTest, ASnapshotOfTwoIntervalsJoinsTheirReports) {
  CountersMerger merger({.shards = 2});
  merger.Add(*Make(0, 0, 0, 1));
  merger.Add(*Make(0, 1, 1, 2));
  merger.Add(*Make(1, 0, 1, 4));
  const auto reports = TakeAll(merger);
  ASSERT_EQ(reports.size(), 1);
  EXPECT_EQ(reports[0]->tracked_packets, 7);
  EXPECT_EQ(reports[0]->first_epoch, 0);
  EXPECT_EQ(reports[0]->last_epoch, 1);
  EXPECT_EQ(reports[0]->end_ns, 20);
  EXPECT_FALSE(reports[0]->complete);
  EXPECT_TRUE(reports[0]->Balanced());
}

TEST(CountersMergerTest, AShardThatStaysBehindIsNotWaitedForAndLosesNothing) {
  CountersMerger merger({.shards = 2});
  std::vector<std::unique_ptr<CountersReport>> reports;
  for (int64_t epoch = 0; epoch < 10; ++epoch) {
    merger.Add(*Make(0, epoch, epoch, 1));
    for (auto& report : TakeAll(merger)) reports.push_back(std::move(report));
  }
  ASSERT_GT(reports.size(), 3);
  EXPECT_FALSE(reports[0]->complete);
  EXPECT_EQ(reports[0]->shards[1].shards, 0);
  for (int64_t epoch = 0; epoch < 10; ++epoch) merger.Add(*Make(1, epoch, epoch, 1));
  for (auto& report : TakeAll(merger)) reports.push_back(std::move(report));
  const uint64_t sum =
      std::accumulate(reports.begin(), reports.end(), uint64_t{0},
                      [](uint64_t so_far, const auto& r) { return so_far + r->tracked_packets; });
  EXPECT_EQ(sum, 20);
  EXPECT_EQ(merger.address_totals().Sum().packets[0], 20);
}

TEST(CountersMergerTest, AnEndedShardIsNotWaitedFor) {
  CountersMerger merger({.shards = 2});
  merger.Add(*Make(0, 0, 0, 1, true));
  merger.Add(*Make(1, 0, 0, 1));
  merger.Add(*Make(1, 1, 1, 1));
  auto reports = TakeAll(merger);
  ASSERT_EQ(reports.size(), 2);
  EXPECT_FALSE(reports[1]->complete);
  EXPECT_FALSE(reports[1]->last);
  merger.Add(*Make(1, 2, 2, 1, true));
  reports = TakeAll(merger);
  ASSERT_EQ(reports.size(), 1);
  EXPECT_TRUE(reports[0]->last);
}

// A capture that was joined to an older one.
TEST(CountersMergerTest, AStepBackInTimeIsAReportOfItsOwn) {
  CountersMerger merger({.shards = 1});
  merger.Add(*Make(0, 100, 100, 1));
  merger.Add(*Make(0, 3, 3, 2));
  const auto reports = TakeAll(merger);
  EXPECT_EQ(reports.size(), 2);
}

TEST(CountersMergerTest, RowsBeyondTheLimitAreInOther) {
  CountersMerger merger({.shards = 1, .rows = 1, .total_rows = 1});
  merger.Add(*Make(0, 0, 0, 5));
  const auto report = merger.Take();
  EXPECT_EQ(report->addresses.rows().size(), 1);
  EXPECT_TRUE(report->Balanced());
  EXPECT_EQ(merger.address_totals().Sum().packets[1], 5);
}

TEST(CountersMergerTest, RowsThatContradictTheLedgerAreFound) {
  CountersMerger merger({.shards = 1});
  const auto wrong = Make(0, 0, 0, 5);
  ++wrong->tracked_packets;
  merger.Add(*wrong);
  EXPECT_FALSE(merger.Take()->Balanced());
}

}  // namespace
}  // namespace weir

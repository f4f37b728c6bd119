// A shard that fails, or stalls, is told of and does not take the others along.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/stats/counters_merger.h"
#include "tests/engine/engine_fixture.h"

namespace weir::test {
namespace {

using testing::HasSubstr;

std::unique_ptr<Scripted> FailsIn(const std::string& call) {
  auto consumer = std::make_unique<Scripted>();
  const auto fail = [](Shard&) { return absl::ResourceExhaustedError("disk full"); };
  if (call == "start") consumer->start = fail;
  if (call == "batch") consumer->batch = fail;
  if (call == "idle") consumer->idle = fail;
  return consumer;
}

class EngineFailureTest : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Calls, EngineFailureTest, testing::Values("start", "batch"),
                         [](const auto& test) { return test.param; });

TEST_P(EngineFailureTest, ConsumerThatFailsEndsItsShardOnly) {
  EngineOptions options = SmallEngine();
  for (int i = 0; i < 3; ++i) AddSource(options, UdpFlows(i, 100, 7));
  std::vector<Seen> seen(3);
  auto engine = *Engine::Create(std::move(options),
                                [&](const ShardPlace& place) -> std::unique_ptr<ShardConsumer> {
                                  if (place.shard == 1) return FailsIn(GetParam());
                                  return std::make_unique<Recorder>(seen[place.shard]);
                                });
  ASSERT_TRUE(engine->Start().ok());
  const absl::Status status = engine->Join();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("shard 1 (memory1): disk full"));
  EXPECT_EQ(engine->Report(1).state, ShardState::kFailed);
  for (int i : {0, 2}) {
    EXPECT_EQ(engine->Report(i).state, ShardState::kDone);
    EXPECT_EQ(seen[i].packets, 700u);
    EXPECT_TRUE(seen[i].why.ok());
  }
}

// Its last interval, and that of the others, add up to the ledgers.
TEST(EngineFailure, CountsOfAShardWhoseConsumerFailsAreHandedOver) {
  EngineOptions options = SmallEngine();
  options.shard.snapshots = {.by = CountBy::kIp, .interval_ns = 3'600'000'000'000};
  for (int i = 0; i < 2; ++i) AddSource(options, UdpFlows(i, 100, 7));
  auto engine = *Engine::Create(std::move(options), [&](const ShardPlace& place) {
    return FailsIn(place.shard == 0 ? "batch" : "");
  });
  ASSERT_TRUE(engine->Start().ok());
  EXPECT_FALSE(engine->Join().ok());
  CountersMerger merger({.by = CountBy::kIp, .shards = 2});
  for (int i = 0; i < 2; ++i) {
    const Snapshot* const snapshot = engine->shard(i).snapshots()->Take();
    ASSERT_NE(snapshot, nullptr) << i;
    EXPECT_TRUE(snapshot->last);
    merger.Add(*snapshot);
  }
  const auto report = merger.Take();
  ASSERT_NE(report, nullptr) << "nobody waits for the one that failed";
  EXPECT_TRUE(report->Balanced());
  const uint64_t failed = engine->Report(0).counters.ledger.tracked;
  EXPECT_GT(failed, 0u);
  EXPECT_LT(failed, 700u);
  EXPECT_EQ(report->tracked_packets, failed + 700);
  EXPECT_EQ(report->addresses.Sum().packets[0], failed + 700);
}

// What the kernel steers to a shard that has failed is counted on.
TEST(EngineFailure, FailedShardGoesOnShowingItsSourcesCounters) {
  EngineOptions options = SmallEngine();
  for (int i = 0; i < 2; ++i) AddSource(options, std::make_unique<SilentSource>());
  std::vector<Seen> seen(2);
  auto engine = *Engine::Create(std::move(options),
                                [&](const ShardPlace& place) -> std::unique_ptr<ShardConsumer> {
                                  if (place.shard == 0) return FailsIn("idle");
                                  return std::make_unique<Recorder>(seen[place.shard]);
                                });
  ASSERT_TRUE(engine->Start().ok());
  ASSERT_TRUE(Becomes(*engine, 0, ShardState::kFailed));
  const auto lost = [&] { return engine->Report(0).counters.source.ring_dropped.value_or(0); };
  const uint64_t before = lost();
  EXPECT_TRUE(Eventually([&] { return lost() > before + 5; }));
  EXPECT_TRUE(Becomes(*engine, 1, ShardState::kRunning));
  EXPECT_FALSE(engine->WaitFor(0));
  engine->Stop();
  EXPECT_FALSE(engine->Join().ok());
  EXPECT_EQ(seen[1].ends, 1);
}

TEST(EngineFailure, SourceThatFailsEndsItsShardOnly) {
  EngineOptions options = SmallEngine();
  std::vector<SilentSource*> sources;
  for (int i = 0; i < 2; ++i) {
    auto source = std::make_unique<SilentSource>();
    sources.push_back(source.get());
    AddSource(options, std::move(source));
  }
  std::vector<Seen> seen(2);
  auto engine = *Engine::Create(std::move(options), [&](const ShardPlace& place) {
    return std::make_unique<Recorder>(seen[place.shard]);
  });
  ASSERT_TRUE(engine->Start().ok());
  sources[0]->Fail();
  ASSERT_TRUE(Becomes(*engine, 0, ShardState::kFailed));
  EXPECT_EQ(engine->Report(0).status.message(), "interface gone");
  EXPECT_TRUE(Becomes(*engine, 1, ShardState::kRunning));
  engine->Stop();
  EXPECT_EQ(engine->Join().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(seen[0].ends, 1);
  EXPECT_EQ(seen[0].why.message(), "interface gone");
}

TEST(EngineFailure, LegThatFailsIsToldOfWhileTheOtherGoesOn) {
  EngineOptions options = SmallEngine();
  auto& legs = options.sources.emplace_back();
  auto bad = std::make_unique<SilentSource>();
  SilentSource& failing = *bad;
  legs.push_back(std::move(bad));
  legs.push_back(std::make_unique<SilentSource>());
  Seen seen;
  auto engine = *Engine::Create(
      std::move(options), [&](const ShardPlace&) { return std::make_unique<Recorder>(seen); });
  ASSERT_TRUE(engine->Start().ok());
  EXPECT_TRUE(engine->Report(0).status.ok());
  failing.Fail();
  EXPECT_TRUE(Eventually([&] { return !engine->Report(0).status.ok(); }));
  EXPECT_TRUE(Becomes(*engine, 0, ShardState::kRunning));
  engine->Stop();
  EXPECT_EQ(engine->Join().code(), absl::StatusCode::kUnavailable);
}

TEST(EngineFailure, ShardWhoseConsumerBlocksIsStalled) {
  std::atomic<bool> blocks{false}, go_on{false};
  EngineOptions options = SmallEngine();
  options.stall_ns = 50'000'000;
  AddSource(options, UdpFlows(0, 10, 1));
  auto engine = *Engine::Create(std::move(options), [&](const ShardPlace&) {
    auto consumer = std::make_unique<Scripted>();
    consumer->batch = [&](Shard&) {
      blocks = true;
      EXPECT_TRUE(Eventually([&] { return go_on.load(); }));
      return absl::OkStatus();
    };
    return consumer;
  });
  ASSERT_TRUE(engine->Start().ok());
  ASSERT_TRUE(Eventually([&] { return blocks.load(); }));
  EXPECT_TRUE(Becomes(*engine, 0, ShardState::kStalled));
  EXPECT_GE(engine->Report(0).age_ns, 50'000'000);
  go_on = true;
  EXPECT_TRUE(engine->Join().ok());
  EXPECT_EQ(engine->Report(0).state, ShardState::kDone);
}

}  // namespace
}  // namespace weir::test

#include "engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/placement.h"
#include "tests/engine/engine_fixture.h"

namespace weir::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// An engine over `shards` memory sources with 100 flows of 7 packets each, and what was seen.
struct Session {
  explicit Session(int shards, EngineOptions options = SmallEngine()) : seen(shards) {
    for (int i = 0; i < shards; ++i) AddSource(options, UdpFlows(i, 100, 7));
    engine = *Engine::Create(std::move(options), [this](const ShardPlace& place) {
      return std::make_unique<Recorder>(seen[place.shard]);
    });
  }
  std::vector<Seen> seen;
  std::unique_ptr<Engine> engine;
};

TEST(Engine, EachShardHasItsConsumerAndItsThread) {
  Session run(4);
  ASSERT_EQ(run.engine->shards(), 4);
  ASSERT_TRUE(run.engine->Start().ok());
  EXPECT_TRUE(run.engine->Join().ok());
  std::set<std::thread::id> threads;
  for (const Seen& seen : run.seen) {
    EXPECT_EQ(seen.starts, 1);
    EXPECT_EQ(seen.ends, 1);
    EXPECT_TRUE(seen.why.ok());
    EXPECT_EQ(seen.flows, 100u);
    EXPECT_EQ(seen.packets, 700u);
    EXPECT_EQ(seen.start_thread, seen.batch_thread);
    EXPECT_EQ(seen.start_thread, seen.end_thread);
    threads.insert(seen.start_thread);
  }
  EXPECT_EQ(threads.size(), 4u);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST(Engine, CountersOfItsShardsAddUp) {
  Session run(3);
  ASSERT_TRUE(run.engine->Start().ok());
  ASSERT_TRUE(run.engine->Join().ok());
  const ShardCounters sum = run.engine->Counters();
  EXPECT_EQ(sum.shards, 3u);
  EXPECT_EQ(sum.ledger.received, 2'100u);
  EXPECT_TRUE(sum.ledger.Balanced());
  for (const ShardReport& report : run.engine->Reports()) {
    EXPECT_EQ(report.state, ShardState::kDone);
    EXPECT_EQ(report.counters.ledger.received, 700u);
    EXPECT_EQ(report.counters.flows.ended_packets, 700u);
    EXPECT_GT(report.cpu_ns, 0);
    EXPECT_EQ(report.interface, "memory" + std::to_string(report.shard));
  }
}

TEST(Engine, ShardIsReadyBeforeItStarts) {
  Session run(1);
  EXPECT_EQ(run.engine->Report(0).state, ShardState::kReady);
  EXPECT_EQ(run.seen[0].starts, 0);
}

TEST(Engine, NeverStartedIsDestroyed) { Session run(2); }

TEST(Engine, TwoLegsGoToOneShard) {
  EngineOptions options = SmallEngine();
  auto& legs = options.sources.emplace_back();
  legs.push_back(UdpFlows(0, 100, 3));
  legs.push_back(UdpFlows(0, 100, 4));
  Seen seen;
  auto engine = *Engine::Create(
      std::move(options), [&](const ShardPlace&) { return std::make_unique<Recorder>(seen); });
  ASSERT_EQ(engine->shards(), 1);
  ASSERT_TRUE(engine->Start().ok());
  ASSERT_TRUE(engine->Join().ok());
  EXPECT_EQ(seen.flows, 100u);
  EXPECT_EQ(seen.packets, 700u);
}

TEST(Engine, StopEndsShardsThatWait) {
  EngineOptions options = SmallEngine();
  for (int i = 0; i < 3; ++i) AddSource(options, std::make_unique<SilentSource>());
  std::vector<Seen> seen(3);
  auto engine = *Engine::Create(std::move(options), [&](const ShardPlace& place) {
    return std::make_unique<Recorder>(seen[place.shard]);
  });
  ASSERT_TRUE(engine->Start().ok());
  ASSERT_TRUE(Eventually([&] {
    return std::ranges::all_of(engine->Reports(), [](const ShardReport& report) {
      return report.state == ShardState::kRunning;
    });
  }));
  EXPECT_FALSE(engine->WaitFor(1'000'000));
  engine->Stop();
  EXPECT_TRUE(engine->WaitFor(20'000'000'000));
  EXPECT_TRUE(engine->Join().ok());
  for (const ShardReport& report : engine->Reports()) EXPECT_EQ(report.state, ShardState::kDone);
}

TEST(Engine, StopBeforeStartEndsIt) {
  EngineOptions options = SmallEngine();
  AddSource(options, std::make_unique<SilentSource>());
  Seen seen;
  auto engine = *Engine::Create(
      std::move(options), [&](const ShardPlace&) { return std::make_unique<Recorder>(seen); });
  engine->Stop();
  ASSERT_TRUE(engine->Start().ok());
  EXPECT_TRUE(engine->Join().ok());
  EXPECT_EQ(seen.ends, 1);
}

TEST(Engine, DestructorStopsIt) {
  EngineOptions options = SmallEngine();
  AddSource(options, std::make_unique<SilentSource>());
  Seen seen;
  {
    auto engine = *Engine::Create(
        std::move(options), [&](const ShardPlace&) { return std::make_unique<Recorder>(seen); });
    ASSERT_TRUE(engine->Start().ok());
  }
  EXPECT_EQ(seen.ends, 1);
}

TEST(Engine, SilentShardShowsThatItLives) {
  EngineOptions options = SmallEngine();
  AddSource(options, std::make_unique<SilentSource>());
  Seen seen;
  auto engine = *Engine::Create(
      std::move(options), [&](const ShardPlace&) { return std::make_unique<Recorder>(seen); });
  ASSERT_TRUE(engine->Start().ok());
  // The source counts how often it was asked: shown again and again.
  EXPECT_TRUE(Eventually([&] { return engine->Counters().source.ring_dropped.value_or(0) > 5; }));
  engine->Stop();
  ASSERT_TRUE(engine->Join().ok());
  EXPECT_GT(seen.idles, 2);
}

TEST(Engine, ShardRunsOnItsProcessor) {
  const std::vector<int> usable = UsableCpus();
  EngineOptions options = SmallEngine();
  options.cpus = {usable.back(), usable.front()};
  Session run(3, std::move(options));
  ASSERT_TRUE(run.engine->Start().ok());
  ASSERT_TRUE(run.engine->Join().ok());
  EXPECT_THAT(run.seen[0].cpus, ElementsAre(usable.back()));
  EXPECT_THAT(run.seen[1].cpus, ElementsAre(usable.front()));
  EXPECT_THAT(run.seen[2].cpus, ElementsAre(usable.back()));
  EXPECT_THAT(run.engine->Report(1).cpus, ElementsAre(usable.front()));
  EXPECT_EQ(UsableCpus(), usable) << "the caller stays where it was";
}

TEST(Engine, RefusesAProcessorThatIsNotThere) {
  EngineOptions options = SmallEngine();
  options.cpus = {1'000};
  AddSource(options, UdpFlows(0, 1, 1));
  const auto engine = Engine::Create(
      std::move(options), [](const ShardPlace&) { return std::make_unique<Scripted>(); });
  EXPECT_EQ(engine.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(engine.status().message()), HasSubstr("processor 1000"));
}

TEST(Engine, NeedsSomethingToRead) {
  EXPECT_EQ(Engine::Create({}, [](const ShardPlace&) { return std::make_unique<Scripted>(); })
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Engine, RefusesAnInterfaceThatIsNamedTwice) {
  for (const bool tap : {false, true}) {
    EngineOptions options = SmallEngine();
    options.interfaces.push_back({.legs = {{.interface = "lo"}}});
    if (tap) {
      options.interfaces[0].legs.push_back({.interface = "lo"});
    } else {
      options.interfaces.push_back({.legs = {{.interface = "lo"}}});
    }
    const auto engine = Engine::Create(
        std::move(options), [](const ShardPlace&) { return std::make_unique<Scripted>(); });
    EXPECT_EQ(engine.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(engine.status().message()), HasSubstr("named twice"));
  }
}

// Lets nothing pass.
struct Nothing : PacketFilter {
  void Apply(std::span<const Frame>, std::span<Packet> packets) override {
    for (Packet& packet : packets) Refuse(packet);
  }
};

TEST(Engine, FiltersChangeWhileItRuns) {
  // Each shard takes one batch, then waits until the change is on its way.
  std::atomic<int> waiting{0};
  std::atomic<bool> changed{false};
  EngineOptions options = SmallEngine();
  for (int i = 0; i < 2; ++i) AddSource(options, UdpFlows(i, 200, 10));
  auto engine = *Engine::Create(std::move(options), [&](const ShardPlace&) {
    auto consumer = std::make_unique<Scripted>();
    consumer->batch = [&, first = true](Shard&) mutable {
      if (std::exchange(first, false)) {
        ++waiting;
        EXPECT_TRUE(Eventually([&] { return changed.load(); }));
      }
      return absl::OkStatus();
    };
    return consumer;
  });
  ASSERT_TRUE(engine->Start().ok());
  ASSERT_TRUE(Eventually([&] { return waiting == 2; }));
  EngineChange change;
  change.filters.emplace().push_back(std::make_shared<Nothing>());
  ASSERT_TRUE(engine->Reconfigure(change).ok());
  changed = true;
  ASSERT_TRUE(engine->Join().ok());
  for (const ShardReport& report : engine->Reports()) {
    EXPECT_EQ(report.counters.ledger.tracked, uint64_t{kBatchFrames});
    EXPECT_EQ(report.counters.ledger.FilteredTotal(), 2'000u - kBatchFrames);
  }
}

TEST(Engine, RefusesAChangeThatMakesNoSense) {
  Session run(1);
  EXPECT_EQ(run.engine->Reconfigure({.publish_ns = 0}).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace weir::test

// What an engine's shards show to a metrics page.
#include <gtest/gtest.h>

#include "tests/engine/engine_fixture.h"

namespace weir::test {
namespace {

std::unique_ptr<Engine> MakeEngine(EngineOptions options) {
  const auto consumers = [](const ShardPlace&) { return std::make_unique<Scripted>(); };
  auto engine = Engine::Create(std::move(options), consumers);
  EXPECT_TRUE(engine.ok()) << engine.status();
  return *std::move(engine);
}

int64_t ClockNs() {
  return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

TEST(EngineMetrics, EachShardShowsItsOwn) {
  EngineOptions options = SmallEngine();
  AddSource(options, UdpFlows(0, 10, 3));
  AddSource(options, UdpFlows(1, 20, 3));
  const auto engine = MakeEngine(std::move(options));
  for (const ShardReport& metrics : engine->Reports()) {
    EXPECT_EQ(metrics.state, ShardState::kReady);
  }
  ASSERT_TRUE(engine->Start().ok());
  ASSERT_TRUE(engine->Join().ok());
  const std::vector<ShardReport> metrics = engine->Reports();
  ASSERT_EQ(metrics.size(), 2u);
  for (uint32_t i = 0; i < 2; ++i) {
    EXPECT_EQ(metrics[i].shard, i);
    EXPECT_EQ(metrics[i].interface, "memory" + std::to_string(i));
    EXPECT_EQ(metrics[i].state, ShardState::kDone);
    EXPECT_EQ(metrics[i].counters.ledger.received, 30u * (i + 1));
    EXPECT_GT(metrics[i].counters.ring.units, 0u);
    EXPECT_EQ(metrics[i].counters.ring.used, 0u);
    EXPECT_GT(metrics[i].cpu_ns, 0);
    EXPECT_FALSE(metrics[i].delays.has_value());
  }
}

TEST(EngineMetrics, TheHeartbeatIsTheClocksAndMovesWhileNothingComes) {
  EngineOptions options = SmallEngine();
  AddSource(options, std::make_unique<SilentSource>());
  const auto engine = MakeEngine(std::move(options));
  const int64_t start = ClockNs();
  ASSERT_TRUE(engine->Start().ok());
  const auto shown = [&] { return engine->Reports()[0].shown_ns; };
  ASSERT_TRUE(Eventually([&] { return shown() > start - 1'000'000'000; }));
  const int64_t first = shown();
  EXPECT_TRUE(Eventually([&] { return shown() > first + 20'000'000; }));
  const int64_t last = shown();
  EXPECT_LE(last, ClockNs() + 1'000'000);
  engine->Stop();
  EXPECT_TRUE(engine->Join().ok());
}

TEST(EngineMetrics, AShardThatHangsStandsStillAndTheOtherGoesOn) {
  EngineOptions options = SmallEngine();
  options.stall_ns = 50'000'000;
  AddSource(options, UdpFlows(0, 10, 3));
  AddSource(options, std::make_unique<SilentSource>());
  std::atomic<bool> hang = true, hangs = false;
  auto engine = *Engine::Create(std::move(options), [&](const ShardPlace& place) {
    auto consumer = std::make_unique<Scripted>();
    if (place.shard == 0) {
      consumer->batch = [&](Shard&) {
        hangs = true;
        while (hang) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return absl::OkStatus();
      };
    }
    return consumer;
  });
  ASSERT_TRUE(engine->Start().ok());
  ASSERT_TRUE(Eventually([&] { return hangs.load(); }));
  EXPECT_TRUE(Becomes(*engine, 0, ShardState::kStalled));
  const std::vector<ShardReport> before = engine->Reports();
  EXPECT_TRUE(
      Eventually([&] { return engine->Reports()[1].shown_ns > before[1].shown_ns + 20'000'000; }));
  EXPECT_EQ(engine->Reports()[0].shown_ns, before[0].shown_ns);
  hang = false;
  engine->Stop();
  EXPECT_TRUE(engine->Join().ok());
}

TEST(EngineMetrics, DelaysAreThereWhereTheyAreMeasured) {
  EngineOptions options = SmallEngine();
  options.shard.measure_delay = true;
  AddSource(options, UdpFlows(0, 10, 3));
  const auto engine = MakeEngine(std::move(options));
  ASSERT_TRUE(engine->Start().ok());
  ASSERT_TRUE(engine->Join().ok());
  ASSERT_TRUE(engine->Reports()[0].delays.has_value());
  EXPECT_EQ(engine->Reports()[0].delays->count(), 30u);
}

}  // namespace
}  // namespace weir::test

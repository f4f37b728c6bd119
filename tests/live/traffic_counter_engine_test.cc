// What a counter of traffic must do, continued: many workers on threads of their own, whose counts
// are asked for while traffic flows.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/engine.h"
#include "tests/support/eventually.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"

namespace weir::test {
namespace {

constexpr int kWorkers = 4;
constexpr int64_t kMillisecond = 1'000'000;

// Counts what it is told, on its worker's thread.
class FlowCount final : public ShardConsumer {
 public:
  explicit FlowCount(std::atomic<uint64_t>& packets) : packets_(packets) {}
  absl::Status OnBatch(Shard&, std::span<const Event> events) override {
    for (const Event& event : events) {
      if (event.kind != EventKind::kFlowEnded) continue;
      packets_ += event.record->packets[0] + event.record->packets[1];
    }
    return absl::OkStatus();
  }

 private:
  std::atomic<uint64_t>& packets_;
};

class TrafficCounterEngineTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<VethPair>();
    for (int flow = 1; flow <= 101; ++flow) {
      frames_.push_back(PacketBuilder()
                            .Ethernet()
                            .Ipv4(absl::StrCat("10.1.0.", flow), "10.2.0.1")
                            .Udp(1000, 53)
                            .Payload(50)
                            .Build());
    }
  }

  void Start(EngineOptions options) {
    PacketSourceOptions leg;
    leg.interface = VethPair::kFar;
    leg.ring = {.ring_bytes = 4 << 20, .block_bytes = 128 << 10, .retire_ms = 2};
    options.interfaces.push_back({.legs = {leg}});
    options.publish_ns = kMillisecond;
    const auto scope = pair_->far().Enter();
    auto engine = Engine::Create(std::move(options), [this](const ShardPlace&) {
      return std::make_unique<FlowCount>(packets_in_flows_);
    });
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    ASSERT_TRUE(engine_->Start().ok());
  }

  // Of 101 flows, by turns.
  void Send(int count) {
    const auto scope = pair_->near().Enter();
    RawSender sender(VethPair::kNear);
    for (int i = 0; i < count; ++i) {
      sender.Send(frames_[static_cast<size_t>(i) % frames_.size()]);
      ++sent_;
    }
  }
  std::unique_ptr<VethPair> pair_;
  std::vector<Bytes> frames_;  // one of each flow
  std::unique_ptr<Engine> engine_;
  std::atomic<uint64_t> sent_{0};
  std::atomic<uint64_t> packets_in_flows_{0};
};

TEST_F(TrafficCounterEngineTest, TotalsAreConsistentWhileTrafficFlowsAndExactAtTheEnd) {
  constexpr int kFrames = 20'000;
  Start({.shards = kWorkers});
  std::thread sender([this] { Send(kFrames); });
  uint64_t before = 0;
  int looks = 0;
  while (before < kFrames && looks < 1'000'000) {
    const ShardCounters counters = engine_->Counters();
    EXPECT_TRUE(counters.ledger.Balanced());
    EXPECT_EQ(counters.ledger.tracked, counters.ledger.received);
    EXPECT_GE(counters.ledger.received, before);
    EXPECT_LE(counters.ledger.received, sent_ + 1) << "more than was sent";
    before = counters.ledger.received;
    ++looks;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  sender.join();
  engine_->Stop();
  ASSERT_TRUE(engine_->Join().ok());
  const ShardCounters counters = engine_->Counters();
  EXPECT_EQ(counters.ledger.received, sent_);
  EXPECT_EQ(counters.lost(), 0u);
  EXPECT_EQ(packets_in_flows_, sent_);
}

TEST_F(TrafficCounterEngineTest, EachWorkerReportsForItself) {
  Start({.shards = kWorkers});
  Send(1000);
  EXPECT_TRUE(Eventually([this] { return engine_->Counters().ledger.received == sent_; }));
  uint64_t received = 0;
  for (const ShardReport& report : engine_->Reports()) {
    EXPECT_EQ(report.interface, VethPair::kFar);
    EXPECT_EQ(report.state, ShardState::kRunning);
    EXPECT_GT(report.counters.ledger.received, 0u);
    EXPECT_GT(report.counters.flows_alive, 0u);
    EXPECT_LT(report.counters.flows_alive, report.counters.flow_capacity);
    EXPECT_EQ(report.counters.ring.units, 32u);
    received += report.counters.ledger.received;
  }
  EXPECT_EQ(received, sent_);
  engine_->Stop();
  EXPECT_TRUE(engine_->Join().ok());
}

TEST_F(TrafficCounterEngineTest, WorkersRunOnTheProcessorsTheyWereGiven) {
  Start({.shards = 2, .cpus = {0}});
  Send(200);
  for (const ShardReport& report : engine_->Reports()) {
    EXPECT_EQ(report.cpus, std::vector<int>{0});
  }
  EXPECT_TRUE(Eventually([this] { return engine_->Counters().ledger.received == sent_; }));
  engine_->Stop();
  EXPECT_TRUE(engine_->Join().ok());
}

}  // namespace
}  // namespace weir::test

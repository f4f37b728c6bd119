// What a counter of traffic must do, continued: filters. Unwanted frames stay in the kernel,
// counted by reason; lists change while it runs; where the kernel or its owner does not allow eBPF
// the same frames count.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
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

// Packets by source address, of all workers.
class Sources {
 public:
  void Add(const FlowRecord& record) {
    const std::lock_guard lock(mutex_);
    const uint8_t* const address = record.key.source.data();
    packets_[absl::StrCat(address[0], ".", address[1])] += record.packets[0] + record.packets[1];
  }
  const std::map<std::string, uint64_t>& packets() const { return packets_; }

 private:
  std::mutex mutex_;
  std::map<std::string, uint64_t> packets_;
};

class SourceCount final : public ShardConsumer {
 public:
  explicit SourceCount(Sources& sources) : sources_(sources) {}
  absl::Status OnBatch(Shard&, std::span<const Event> events) override {
    for (const Event& event : events) {
      if (event.kind == EventKind::kFlowEnded) sources_.Add(*event.record);
    }
    return absl::OkStatus();
  }

 private:
  Sources& sources_;
};

class TrafficCounterFilterTest : public testing::TestWithParam<FilterRung> {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<VethPair>();
  }

  void Start(FilterRules rules, FilterRung highest) {
    EngineOptions options;
    options.rules = std::make_shared<const FilterRules>(std::move(rules));
    PacketSourceOptions leg;
    leg.interface = VethPair::kFar;
    leg.ring = {.ring_bytes = 8 << 20, .block_bytes = 128 << 10, .retire_ms = 2};
    leg.highest_filter_rung = highest;
    options.interfaces.push_back({.legs = {leg}});
    options.shards = kWorkers;
    options.publish_ns = kMillisecond;
    const auto scope = pair_->far().Enter();
    auto engine = Engine::Create(std::move(options), [this](const ShardPlace&) {
      return std::make_unique<SourceCount>(sources_);
    });
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    ASSERT_TRUE(engine_->Start().ok());
  }

  static Bytes Frame(const std::string& source, const std::string& destination, uint16_t vlan) {
    PacketBuilder builder;
    builder.Ethernet();
    if (vlan != 0) builder.Vlan(vlan);
    return builder.Ipv4(source, destination).Udp(1000, 53).Payload(50).Build();
  }
  // One of each kind for each of 101 hosts.
  void Send(int rounds) {
    const auto scope = pair_->near().Enter();
    RawSender sender(VethPair::kNear);
    for (int i = 0; i < rounds; ++i) {
      const std::string host = absl::StrCat(".0.", i % 101 + 1);
      sender.Send(PacketBuilder().Ethernet().Raw(Bytes(28, 1), 0x0806).Build());
      sender.Send(Frame("10.1" + host, "10.3.0.1", 8));
      sender.Send(Frame("10.1" + host, "10.2.0.1", 7));
      sender.Send(Frame("10.9" + host, "10.3.0.1", 7));
      sender.Send(Frame("10.1" + host, "10.3.0.1", 7));
      sender.Send(Frame("10.1" + host, "10.3.0.1", 0));
    }
  }
  static FilterRules Rules(int more = 0) {
    FilterRules rules{.ip_only = true};
    rules.vlans = *ParseVlans("7,untagged");
    std::string ignore = "10.2.0.0/16\n", accept = "10.1.0.0/16\n";
    for (int i = 0; i < more; ++i) absl::StrAppend(&ignore, "172.16.", i, ".0/25\n");
    for (int i = 0; i < more; ++i) absl::StrAppend(&accept, "172.16.", i, ".0/25\n");
    rules.ignore_destinations = *CidrSet::Parse(ignore, "ignore");
    rules.accept_sources = *CidrSet::Parse(accept, "accept");
    return rules;
  }
  static FilterCounts EachRefused(uint64_t times) {
    FilterCounts counts{};
    for (const FilterReason reason :
         {FilterReason::kNotIp, FilterReason::kVlan, FilterReason::kIgnoredDestination,
          FilterReason::kNotAcceptedSource}) {
      counts[static_cast<size_t>(reason)] = times;
    }
    return counts;
  }
  bool Arrive(uint64_t frames) {
    return Eventually([&] {
      const ShardCounters counters = engine_->Counters();
      return counters.ledger.received + counters.source.KernelFilteredTotal().value_or(0) >= frames;
    });
  }
  void End() {
    engine_->Stop();
    EXPECT_TRUE(engine_->Join().ok());
    EXPECT_TRUE(engine_->Counters().ledger.Balanced());
    EXPECT_EQ(engine_->Counters().source.ring_dropped, 0u);
  }

  std::unique_ptr<VethPair> pair_;
  Sources sources_;
  std::unique_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Rungs, TrafficCounterFilterTest,
                         testing::Values(FilterRung::kEbpf, FilterRung::kClassic,
                                         FilterRung::kShard),
                         [](const auto& test) {
                           return test.param == FilterRung::kEbpf      ? "Ebpf"
                                  : test.param == FilterRung::kClassic ? "Classic"
                                                                       : "Shard";
                         });

// Non-IP, other VLANs, ignored destinations, sources that are on no allow list.
TEST_P(TrafficCounterFilterTest, OnlyWantedFramesAreCountedOnEveryRung) {
  constexpr uint64_t kRounds = 500;
  Start(Rules(), GetParam());
  Send(kRounds);
  EXPECT_TRUE(Arrive(GetParam() == FilterRung::kClassic ? 2 * kRounds : 6 * kRounds));
  End();
  EXPECT_EQ(sources_.packets(), (std::map<std::string, uint64_t>{{"10.1", 2 * kRounds}}));
  const ShardCounters counters = engine_->Counters();
  EXPECT_EQ(counters.ledger.tracked, 2 * kRounds);
  switch (GetParam()) {
    case FilterRung::kEbpf:
      EXPECT_EQ(counters.source.kernel_filtered, EachRefused(kRounds));
      EXPECT_EQ(counters.ledger.FilteredTotal(), 0u);
      break;
    case FilterRung::kClassic:
      EXPECT_EQ(counters.source.kernel_filtered, std::nullopt);
      EXPECT_EQ(counters.ledger.received, 2 * kRounds);
      break;
    case FilterRung::kShard:
      EXPECT_EQ(counters.source.KernelFilteredTotal(), 0u);
      EXPECT_EQ(counters.ledger.filtered, EachRefused(kRounds));
  }
}

TEST_P(TrafficCounterFilterTest, ListsChangeWhileItRunsAndEachFrameIsJudgedOnce) {
  Start(Rules(), GetParam());
  std::atomic<bool> stop{false};
  uint64_t rounds = 0;
  std::thread sender([&] {
    for (; !stop.load(); rounds += 20) Send(20);
  });
  for (int i = 1; i <= 30; ++i) {
    const auto rules = std::make_shared<const FilterRules>(Rules(i % 2 * 100));
    EXPECT_TRUE(engine_->Reconfigure({.rules = rules}).ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  stop = true;
  sender.join();
  EXPECT_TRUE(Arrive(GetParam() == FilterRung::kClassic ? 2 * rounds : 6 * rounds));
  End();
  const ShardCounters counters = engine_->Counters();
  EXPECT_GT(rounds, 20u);
  EXPECT_EQ(counters.ledger.tracked, 2 * rounds);
  EXPECT_EQ(sources_.packets(), (std::map<std::string, uint64_t>{{"10.1", 2 * rounds}}));
  if (GetParam() == FilterRung::kEbpf) {
    EXPECT_EQ(counters.source.kernel_filtered, EachRefused(rounds));
    EXPECT_EQ(counters.ledger.received + *counters.source.KernelFilteredTotal(), 6 * rounds);
  }
  if (GetParam() == FilterRung::kShard) {
    EXPECT_EQ(counters.ledger.filtered, EachRefused(rounds));
  }
}

TEST_P(TrafficCounterFilterTest, RulesThatWereNotForeseenAreRefusedWithTheReason) {
  EngineOptions options;
  options.interfaces.push_back({.legs = {{.interface = VethPair::kFar}}});
  options.shards = 1;
  const auto scope = pair_->far().Enter();
  auto engine = Engine::Create(std::move(options), [this](const ShardPlace&) {
    return std::make_unique<SourceCount>(sources_);
  });
  ASSERT_TRUE(engine.ok()) << engine.status();
  const auto status =
      (*engine)->Reconfigure({.rules = std::make_shared<const FilterRules>(Rules())});
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
}

}  // namespace
}  // namespace weir::test

// Shards over AF_XDP: silence costs nothing and delays nothing, and every frame that was sent is in
// the ledger when rings overflow.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/live/xdp_fixture.h"
#include "tests/support/shard_runner.h"
#include "tests/support/tc_program.h"

namespace weir::test {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

void SleepMs(int64_t milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// A number from the environment, for runs by hand that take longer than CI should.
int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoll(value);
}

class XdpShardTest : public XdpTest, public testing::WithParamInterface<XdpMode> {
 protected:
  void SetUp() override {
    XdpTest::SetUp();
    options_.mode = GetParam();
  }

  std::unique_ptr<ShardRunner> Run(const ShardOptions& options = {}) {
    MustOpen();
    if (HasFailure()) std::abort();
    return std::make_unique<ShardRunner>(std::move(group_.sources.front()), options);
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, XdpShardTest, testing::Values(XdpMode::kCopy, XdpMode::kGeneric),
                         [](const auto& test) {
                           return test.param == XdpMode::kCopy ? "Copy" : "Generic";
                         });

TEST_P(XdpShardTest, IdleCostsLessThanOnePercentOfAProcessor) {
  const int64_t idle_ms = FromEnvironment("WEIR_TEST_IDLE_MS", 1000);
  const auto runner = Run();
  sender_->Send(UdpFrame(30));  // a flow that is due in a minute
  SleepMs(idle_ms);
  runner->Stop();
  const double share =
      static_cast<double>(runner->thread_cpu_ns()) / static_cast<double>(idle_ms * kMillisecond);
  EXPECT_LT(share, 0.01);
  EXPECT_EQ(runner->ledger().received, 1u);
}

// WEIR_TEST_SILENCE_MS=60000 WEIR_TEST_SAMPLES=20 for the run by hand.
TEST_P(XdpShardTest, AFrameAfterSilenceIsSeenAsSoonAsOneWithout) {
  const bool by_hand = std::getenv("WEIR_TEST_SILENCE_MS") != nullptr;
  const int64_t silence_ms = FromEnvironment("WEIR_TEST_SILENCE_MS", 1000);
  const auto samples = static_cast<size_t>(FromEnvironment("WEIR_TEST_SAMPLES", 2));
  const auto runner = Run();
  uint64_t sent = 0;
  const auto delay_after = [&](int64_t pause_ms) -> int64_t {
    SleepMs(pause_ms);
    const int64_t start = ClockNs();
    sender_->Send(UdpFrame(30));
    ++sent;
    EXPECT_TRUE(runner->WaitFor([&](const auto& seen) { return seen.frames == sent; }));
    return runner->seen().clock_ns - start;
  };
  std::vector<int64_t> usual, delays;
  for (int i = 0; i < 20; ++i) usual.push_back(delay_after(5));
  for (size_t i = 0; i < samples; ++i) delays.push_back(delay_after(silence_ms));
  runner->Stop();
  std::sort(usual.begin(), usual.end());
  std::sort(delays.begin(), delays.end());
  const auto ms = [](int64_t ns) { return static_cast<double>(ns) / 1e6; };
  std::printf(
      "after 5 ms: median %.3f ms, maximum %.3f; after %lld ms: median %.3f ms, maximum "
      "%.3f of %zu\n",
      ms(usual[10]), ms(usual.back()), static_cast<long long>(silence_ms), ms(delays[samples / 2]),
      ms(delays.back()), samples);
  // A loaded machine may be late, but not each time.
  const int64_t bound = (by_hand ? 5 : 100) * kMillisecond;
  EXPECT_LE(by_hand ? delays.back() : delays.front(), usual.back() + bound);
}

TEST_P(XdpShardTest, StopKeepsWhatLiesInTheRing) {
  const auto runner = Run();
  for (int i = 0; i < 50; ++i) sender_->Send(UdpFrame(30));
  runner->Stop();
  EXPECT_EQ(runner->ledger().received, 50u);
}

// Two queues of which nobody takes anything while more comes than they hold; jumbo frames among it.
TEST_P(XdpShardTest, EveryFrameIsInTheLedgerWhenRingsOverflow) {
  constexpr int kQueues = 3;  // a veth's transmit queues 0 and 1 may come in on one
  MakePair(kQueues);
  pair_->near().Ip("link set near0 mtu 9000");
  pair_->far().Ip("link set far0 mtu 9000");
  const auto steering = TcProgram::Attach(pair_->near(), VethPair::kNear, TcHook::kEgress,
                                          TcAction::kSteerQueue, kQueues);
  ASSERT_TRUE(steering.ok()) << steering.status();
  options_.ring_bytes = 512 << 10;  // 128 chunks
  auto group = Open(2);
  ASSERT_TRUE(group.ok()) << group.status();
  std::vector<std::unique_ptr<Shard>> shards;
  for (auto& source : group->sources) {
    std::vector<std::unique_ptr<FrameSource>> one;
    one.push_back(std::move(source));
    shards.push_back(*Shard::Create({.live = true}, std::move(one)));
  }
  uint64_t sent = 0;
  for (int lap = 0; lap < 6; ++lap) {
    for (int i = 0; i < 500; ++i) {
      const std::string to = absl::StrCat("10.2.0.", i % 97 + 1);
      sender_->Send(UdpFrame(i % 5 == 0 ? 8000 : 100, 53, to.c_str()));
      ++sent;
    }
    if (lap % 2 == 0) continue;  // twice what came, at once
    for (const auto& shard : shards) {
      while (!shard->Poll().empty() || !shard->idle()) {
      }
    }
  }
  uint64_t dropped = 0, received = 0;
  const auto sum = [&] {
    dropped = received = 0;
    for (const auto& shard : shards) {
      shard->Poll();
      const SourceCounters counters = shard->source_counters();
      EXPECT_EQ(counters.received, shard->ledger().received);
      EXPECT_EQ(counters.left_to_host + *counters.nic_missed + *counters.KernelFilteredTotal(), 0u);
      dropped += *counters.ring_dropped;
      received += counters.received;
    }
    return dropped + received == sent;
  };
  for (int i = 0; i < 500 && !sum(); ++i) SleepMs(2);
  EXPECT_EQ(dropped + received, sent);
  EXPECT_GT(dropped, 100u);
  EXPECT_GT(received, 100u);
}

}  // namespace
}  // namespace weir::test

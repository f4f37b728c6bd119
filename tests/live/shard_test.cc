// A live shard while little happens: what it costs, how late it is, and that time goes on without
// it.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"
#include "tests/support/shard_runner.h"

namespace weir {
namespace {

using test::Bytes;
using test::ClockNs;
using test::PacketBuilder;
using test::ShardRunner;

constexpr int64_t kMillisecond = 1'000'000;

Bytes UdpFrame() {
  return PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1000, 53).Payload(30).Build();
}

void SleepMs(int64_t milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// A number from the environment, for runs by hand that take longer than CI should.
int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoll(value);
}

class LiveShardTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<test::VethPair>();
    const auto scope = pair_->near().Enter();
    sender_ = std::make_unique<test::RawSender>(test::VethPair::kNear);
    source_.interface = test::VethPair::kFar;
    source_.ring = {.ring_bytes = 4 << 20, .block_bytes = 128 << 10};
  }

  std::unique_ptr<test::VethPair> pair_;
  std::unique_ptr<test::RawSender> sender_;
  PacketSourceOptions source_;
  ShardOptions options_;
};

TEST_F(LiveShardTest, IdleCostsLessThanOnePercentOfAProcessor) {
  const int64_t idle_ms = FromEnvironment("WEIR_TEST_IDLE_MS", 1000);
  ShardRunner runner(pair_->far(), source_, options_);
  sender_->Send(UdpFrame());  // a flow that is due in a minute
  SleepMs(idle_ms);
  runner.Stop();
  const double share =
      static_cast<double>(runner.thread_cpu_ns()) / static_cast<double>(idle_ms * kMillisecond);
  std::printf("idle: %.3f %% of a processor\n", share * 100);
  EXPECT_LT(share, 0.01);
  EXPECT_EQ(runner.ledger().received, 1u);
}

// WEIR_TEST_SILENCE_MS=60000 WEIR_TEST_SAMPLES=20 for the run by hand.
TEST_F(LiveShardTest, AFrameAfterSilenceIsSeenWithinTheRetireTime) {
  const int64_t silence_ms = FromEnvironment("WEIR_TEST_SILENCE_MS", 100);
  const auto samples = static_cast<size_t>(FromEnvironment("WEIR_TEST_SAMPLES", 10));
  constexpr int64_t kSlackNs = 5 * kMillisecond;
  const int64_t retire_ns = source_.ring.retire_ms * kMillisecond;
  options_.events |= event_mask::kFrames;
  ShardRunner runner(pair_->far(), source_, options_);
  std::vector<int64_t> delays;
  for (size_t i = 0; i < samples; ++i) {
    SleepMs(silence_ms);
    sender_->Send(UdpFrame());
    ASSERT_TRUE(runner.WaitFor([&](const auto& seen) { return seen.frames == i + 1; })) << i;
    delays.push_back(runner.seen().clock_ns - runner.seen().timestamp_ns);
  }
  runner.Stop();
  std::sort(delays.begin(), delays.end());
  std::printf("after %lld ms: median %.2f ms, maximum %.2f ms of %zu\n",
              static_cast<long long>(silence_ms), static_cast<double>(delays[samples / 2]) / 1e6,
              static_cast<double>(delays.back()) / 1e6, samples);
  EXPECT_GT(delays.front(), 0);
  // On a loaded machine one of them is in time; run by hand on an idle one, all are held to the
  // promise.
  const bool by_hand = std::getenv("WEIR_TEST_SILENCE_MS") != nullptr;
  EXPECT_LE(by_hand ? delays.back() : delays.front(), retire_ns + kSlackNs);
}

TEST_F(LiveShardTest, FlowsEndOnTimeWithoutTraffic) {
  constexpr int64_t kTimeout = 200 * kMillisecond, kLate = 100 * kMillisecond;
  options_.flow.timeouts.udp = kTimeout;
  options_.events |= event_mask::kFrames;
  ShardRunner runner(pair_->far(), source_, options_);
  int64_t best = INT64_MAX;  // of several: the processor may be busy with other things
  uint64_t flows = 0;
  while (flows < 5 && best > kLate) {
    sender_->Send(UdpFrame());
    ++flows;
    ASSERT_TRUE(runner.WaitFor([&](const auto& seen) { return seen.flows_ended == flows; }));
    const auto seen = runner.seen();
    const int64_t late = seen.flow_ended_clock_ns - seen.timestamp_ns - kTimeout;
    EXPECT_GE(late, 0);
    best = std::min(best, late);
  }
  EXPECT_LE(best, kLate);
  const int64_t last_ns = runner.seen().timestamp_ns;
  runner.Stop();
  ASSERT_EQ(runner.ended().size(), flows);
  for (const auto& ended : runner.ended()) EXPECT_EQ(ended.end, FlowEnd::kIdle);
  EXPECT_EQ(runner.ended().back().end_ns, last_ns);
}

TEST_F(LiveShardTest, StopKeepsWhatLiesInTheRing) {
  constexpr uint64_t kFrames = 500;
  ShardRunner runner(pair_->far(), source_, options_);
  for (uint64_t i = 0; i < kFrames; ++i) sender_->Send(UdpFrame());
  runner.Stop();
  EXPECT_EQ(runner.ledger().received, kFrames);
  ASSERT_EQ(runner.ended().size(), 1u);
  EXPECT_EQ(runner.ended()[0].packets[0], kFrames);
}

TEST_F(LiveShardTest, RemovalOfTheInterfaceEndsTheShardAndSaysSo) {
  ShardRunner runner(pair_->far(), source_, options_);
  sender_->Send(UdpFrame());
  pair_->far().Ip("link del far0");
  ASSERT_TRUE(runner.WaitFor([](const auto& seen) { return seen.flows_ended == 1; }));
  runner.Stop();
  EXPECT_EQ(runner.status().code(), absl::StatusCode::kUnavailable);
}

// A UDP socket pair on lo of the calling thread's namespace.
class Loopback {
 public:
  Loopback() : receiver_(Socket()), sender_(Socket()) {
    const int large = 4 << 20;
    setsockopt(receiver_.get(), SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
    sockaddr_in address = Address(0);
    socklen_t length = sizeof address;
    EXPECT_EQ(bind(receiver_.get(), Generic(&address), length), 0);
    EXPECT_EQ(getsockname(receiver_.get(), Generic(&address), &length), 0);
    EXPECT_EQ(connect(sender_.get(), Generic(&address), length), 0);
  }
  void Send(const std::string& payload) {
    EXPECT_EQ(send(sender_.get(), payload.data(), payload.size(), 0),
              static_cast<ssize_t>(payload.size()));
  }

 private:
  static UniqueFd Socket() { return UniqueFd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }
  static sockaddr* Generic(sockaddr_in* address) { return reinterpret_cast<sockaddr*>(address); }
  static sockaddr_in Address(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  UniqueFd receiver_;
  UniqueFd sender_;
};

class LoopbackShardTest : public LiveShardTest {
 protected:
  void SetUp() override {
    LiveShardTest::SetUp();
    source_.interface = "lo";
    options_.dedup.mode = DedupMode::kLoopback;
  }
};

TEST_F(LoopbackShardTest, EachDatagramIsReportedOnceAlsoWhenSentTwice) {
  constexpr uint64_t kDatagrams = 1000;
  ShardRunner runner(pair_->near(), source_, options_);
  {
    const auto scope = pair_->near().Enter();
    Loopback loopback;
    for (uint64_t i = 0; i < kDatagrams; ++i) {
      loopback.Send("datagram " + std::to_string(i));
      if (i % 2 == 0) loopback.Send("datagram " + std::to_string(i));
    }
  }
  constexpr uint64_t kSent = kDatagrams + kDatagrams / 2;
  ASSERT_TRUE(runner.WaitFor([](const auto& seen) { return seen.frames >= 2 * kSent; }));
  runner.Stop();
  EXPECT_EQ(runner.ledger().received, 2 * kSent);
  EXPECT_EQ(runner.ledger().duplicate, kSent);
  ASSERT_EQ(runner.ended().size(), 1u);
  EXPECT_EQ(runner.ended()[0].packets[0], kSent);
  EXPECT_EQ(runner.ended()[0].packets[1], 0u);
}

TEST_F(LoopbackShardTest, EachPingAndItsAnswerAreReportedOnce) {
  constexpr uint64_t kPings = 1000;
  ShardRunner runner(pair_->near(), source_, options_);
  {
    const auto scope = pair_->near().Enter();
    if (std::system("ping -q -f -c 1000 127.0.0.1 >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "ping is missing: install iputils-ping";
    }
  }
  ASSERT_TRUE(runner.WaitFor([](const auto& seen) { return seen.frames >= 4 * kPings; }));
  runner.Stop();
  EXPECT_EQ(runner.ledger().duplicate, 2 * kPings);
  ASSERT_EQ(runner.ended().size(), 1u);
  // Both ends have one address: nothing but the type tells request from reply.
  EXPECT_EQ(runner.ended()[0].packets[0] + runner.ended()[0].packets[1], 2 * kPings);
}

}  // namespace
}  // namespace weir

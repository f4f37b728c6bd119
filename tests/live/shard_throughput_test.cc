// The whole engine at the sender's highest rate: every one of a million frames is in the ledger and
// in the flows, without a drop, with a ring of 64 MiB.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <numeric>

#include "tests/support/live_frame_sender.h"
#include "tests/support/netns.h"
#include "tests/support/shard_runner.h"

namespace weir {
namespace {

using test::LiveFrameSender;
using test::ShardRunner;

constexpr uint64_t kFrames = 1'000'000;
constexpr uint32_t kFlows = 1000;
constexpr int kSenderProcessor = 0;
constexpr int kShardProcessor = 1;

class ShardThroughputTest : public testing::TestWithParam<uint32_t> {};

INSTANTIATE_TEST_SUITE_P(FrameBytes, ShardThroughputTest, testing::Values(60u, 1514u),
                         testing::PrintToStringParamName());

TEST_P(ShardThroughputTest, EveryFrameIsInTheLedgerAndInTheFlows) {
  WEIR_SKIP_WITHOUT_NETNS();
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "needs two processors";
  const test::VethPair pair;
  auto sender = LiveFrameSender::Create(pair, {.frame_bytes = GetParam(), .flows = kFlows});
  if (!sender.ok()) GTEST_SKIP() << sender.status();
  PacketSourceOptions source;
  source.interface = test::VethPair::kFar;
  source.ring.ring_bytes = 64 << 20;
  ShardRunner runner(pair.far(), source, {}, kShardProcessor);

  test::PinToProcessor(kSenderProcessor);
  const auto start = std::chrono::steady_clock::now();
  const absl::Status sent = (*sender)->Send(kFrames);
  ASSERT_TRUE(sent.ok()) << sent;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_TRUE(runner.WaitFor([](const auto& seen) { return seen.frames >= kFrames; }, 5000));
  runner.Stop();

  const double mpps = kFrames / seconds.count() / 1e6;
  std::printf("%u B: %.2f Mpps, shard %.0f ns per frame\n", GetParam(), mpps,
              static_cast<double>(runner.thread_cpu_ns()) / kFrames);
  RecordProperty("mpps", std::to_string(mpps));
  EXPECT_EQ((*sender)->delivered(), kFrames);
  EXPECT_EQ(*runner.source_counters().ring_dropped, 0u);
  EXPECT_EQ(runner.ledger().received, kFrames);
  EXPECT_EQ(runner.ledger().tracked, kFrames);
  EXPECT_TRUE(runner.ledger().Balanced());
  ASSERT_EQ(runner.ended().size(), kFlows);
  uint64_t packets = 0, bytes = 0;
  for (const FlowRecord& record : runner.ended()) {
    EXPECT_EQ(record.packets[0], kFrames / kFlows);
    packets += record.packets[0] + record.packets[1];
    bytes += record.bytes[0] + record.bytes[1];
  }
  EXPECT_EQ(packets, kFrames);
  EXPECT_EQ(bytes, kFrames * GetParam());
}

}  // namespace
}  // namespace weir

// The whole engine at the sender's highest rate: every one of a million frames is in the ledger and
// in the flows, without a drop, with a ring of 64 MiB.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "rings/packet_source.h"
#include "rings/xdp_group.h"
#include "tests/support/held_up.h"
#include "tests/support/live_frame_sender.h"
#include "tests/support/netns.h"
#include "tests/support/shard_runner.h"

namespace weir {
namespace {

using test::LiveFrameSender;
using test::Outcome;
using test::ShardRunner;

constexpr uint64_t kFrames = 1'000'000;
constexpr uint32_t kFlows = 1000;
constexpr int kSenderProcessor = 0;
constexpr int kShardProcessor = 1;

struct Way {
  bool xdp;
  uint32_t frame_bytes;
};

class ShardThroughputTest : public testing::TestWithParam<Way> {};

INSTANTIATE_TEST_SUITE_P(Ways, ShardThroughputTest,
                         testing::Values(Way{false, 60}, Way{false, 1514}, Way{true, 60},
                                         Way{true, 1514}),
                         [](const auto& test) {
                           return absl::StrCat(test.param.xdp ? "Xdp" : "Packet",
                                               test.param.frame_bytes);
                         });

std::unique_ptr<FrameSource> OpenSource(bool xdp) {
  if (xdp) {
    auto group = OpenXdpGroup({.interface = test::VethPair::kFar, .ring_bytes = 256 << 20}, 1);
    EXPECT_TRUE(group.ok()) << group.status();
    return group.ok() ? std::move(group->sources.front()) : nullptr;
  }
  PacketSourceOptions options;
  options.interface = test::VethPair::kFar;
  options.ring.ring_bytes = 64 << 20;
  auto source = PacketSource::Open(options);
  EXPECT_TRUE(source.ok()) << source.status();
  return source.ok() ? *std::move(source) : nullptr;
}

// Everything that arrived, by flows.
void ExpectAllInFlows(const ShardRunner& runner, uint32_t frame_bytes) {
  EXPECT_EQ(runner.ledger().received, kFrames);
  ASSERT_EQ(runner.ended().size(), kFlows);
  uint64_t packets = 0, bytes = 0;
  for (const FlowRecord& record : runner.ended()) {
    EXPECT_EQ(record.packets[0], kFrames / kFlows);
    packets += record.packets[0] + record.packets[1];
    bytes += record.bytes[0] + record.bytes[1];
  }
  EXPECT_EQ(packets, kFrames);
  EXPECT_EQ(bytes, kFrames * frame_bytes);
}

// One run. Whatever the machine does, each delivered frame is in the ledger or counted as dropped.
void RunOnce(const Way& way, Outcome& outcome) {
  outcome = Outcome::kNoSender;
  const test::VethPair pair;
  // With AF_XDP it is our own program that lets such frames in.
  using Receiver = LiveFrameSender::Receiver;
  auto sender =
      LiveFrameSender::Create(pair, {.frame_bytes = way.frame_bytes,
                                     .flows = kFlows,
                                     .receiver = way.xdp ? Receiver::kGro : Receiver::kXdpPass});
  if (!sender.ok()) return;
  std::unique_ptr<FrameSource> source;
  {
    const auto scope = pair.far().Enter();
    source = OpenSource(way.xdp);
  }
  ASSERT_NE(source, nullptr);
  ShardRunner runner(std::move(source), {}, kShardProcessor);

  test::PinToProcessor(kSenderProcessor);
  const auto start = std::chrono::steady_clock::now();
  const absl::Status sent = (*sender)->Send(kFrames);
  ASSERT_TRUE(sent.ok()) << sent;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  runner.WaitFor([](const auto& seen) { return seen.frames >= kFrames; }, std::chrono::seconds(2));
  const uint64_t delivered = (*sender)->delivered();
  EXPECT_LE(delivered, kFrames);
  runner.Stop();

  const double mpps = kFrames / seconds.count() / 1e6;
  const double held_up_ms = static_cast<double>(runner.held_up_ns()) / 1e6;
  std::printf("%u B: %.2f Mpps, shard %.0f ns per frame, held up for %.1f ms\n", way.frame_bytes,
              mpps, static_cast<double>(runner.thread_cpu_ns()) / kFrames, held_up_ms);
  testing::Test::RecordProperty("mpps", std::to_string(mpps));
  const uint64_t dropped = *runner.source_counters().ring_dropped;
  EXPECT_EQ(runner.ledger().received + dropped, delivered);
  EXPECT_EQ(runner.ledger().tracked, runner.ledger().received);
  EXPECT_TRUE(runner.ledger().Balanced());
  if (runner.held_up_ns() > test::kMostHeldUpNs && (dropped > 0 || delivered < kFrames)) {
    outcome = Outcome::kHeldUp;
    return;
  }
  outcome = Outcome::kAllArrived;
  EXPECT_EQ(delivered, kFrames);
  EXPECT_EQ(dropped, 0u);
  ExpectAllInFlows(runner, way.frame_bytes);
}

TEST_P(ShardThroughputTest, EveryFrameIsInTheLedgerAndInTheFlows) {
  WEIR_SKIP_WITHOUT_NETNS();
  test::RunUntilUndisturbed([](Outcome& outcome) { RunOnce(GetParam(), outcome); });
}

}  // namespace
}  // namespace weir

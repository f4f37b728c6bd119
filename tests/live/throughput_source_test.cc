// The source alone at the sender's highest rate: every frame delivered to the interface comes out.
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "rings/packet_source.h"
#include "tests/support/held_up.h"
#include "tests/support/live_frame_sender.h"
#include "tests/support/netns.h"

namespace weir {
namespace {

using test::LiveFrameSender;
using test::Outcome;

constexpr uint64_t kFrames = 1'000'000;
constexpr int kSenderProcessor = 0;
constexpr int kReaderProcessor = 1;

class ThroughputTest : public testing::TestWithParam<uint32_t> {};

INSTANTIATE_TEST_SUITE_P(FrameBytes, ThroughputTest, testing::Values(60u, 1514u),
                         testing::PrintToStringParamName());

// Reads until `stop` and the ring is empty; adds up what it saw.
uint64_t ReadAll(PacketSource& source, const std::atomic<bool>& stop) {
  Frame frames[kBatchFrames];
  uint64_t count = 0;
  for (;;) {
    const bool last = stop.load();
    const int got = source.Receive(frames);
    source.Release();
    count += static_cast<uint64_t>(got);
    if (got != 0) continue;
    pollfd polled = {source.wait_fd(), POLLIN, 0};
    if (poll(&polled, 1, 50) == 0 && last) return count;
  }
}

// One run. Whatever the machine does, each delivered frame comes out or is counted as dropped.
void RunOnce(uint32_t frame_bytes, Outcome& outcome) {
  outcome = Outcome::kNoSender;
  const test::VethPair pair;
  auto sender = LiveFrameSender::Create(pair, {.frame_bytes = frame_bytes, .flows = 1000});
  if (!sender.ok()) return;
  PacketSourceOptions options;
  options.interface = test::VethPair::kFar;
  options.ring.ring_bytes = 64 << 20;
  std::unique_ptr<PacketSource> source;
  {
    const auto scope = pair.far().Enter();
    source = *PacketSource::Open(options);
  }
  std::atomic<bool> stop{false};
  uint64_t received = 0;
  int64_t held_up_ns = 0;
  std::thread reader([&] {
    test::PinToProcessor(kReaderProcessor);
    received = ReadAll(*source, stop);
    held_up_ns = test::HeldUpNs();
  });
  test::PinToProcessor(kSenderProcessor);
  const auto start = std::chrono::steady_clock::now();
  const absl::Status sent = (*sender)->Send(kFrames);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  stop.store(true);
  reader.join();
  ASSERT_TRUE(sent.ok()) << sent;
  const double mpps = kFrames / seconds.count() / 1e6;
  testing::Test::RecordProperty("mpps", std::to_string(mpps));
  std::printf("%.2f Mpps at %u B, reader held up for %.1f ms\n", mpps, frame_bytes,
              static_cast<double>(held_up_ns) / 1e6);
  const uint64_t delivered = (*sender)->delivered();
  const uint64_t dropped = *source->Counters().ring_dropped;
  EXPECT_EQ(received + dropped, delivered);
  if (held_up_ns > test::kMostHeldUpNs && (dropped > 0 || delivered < kFrames)) {
    outcome = Outcome::kHeldUp;
    return;
  }
  outcome = Outcome::kAllArrived;
  EXPECT_EQ(delivered, kFrames);
  EXPECT_EQ(dropped, 0u);
}

TEST_P(ThroughputTest, AMillionFramesWithoutADrop) {
  WEIR_SKIP_WITHOUT_NETNS();
  test::RunUntilUndisturbed([](Outcome& outcome) { RunOnce(GetParam(), outcome); });
}

}  // namespace
}  // namespace weir

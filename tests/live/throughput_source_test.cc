// The source alone at the sender's highest rate: every frame delivered to the interface comes out.
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "rings/packet_source.h"
#include "tests/support/live_frame_sender.h"
#include "tests/support/netns.h"

namespace weir {
namespace {

using test::LiveFrameSender;

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

TEST_P(ThroughputTest, AMillionFramesWithoutADrop) {
  WEIR_SKIP_WITHOUT_NETNS();
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "needs two processors";
  const test::VethPair pair;
  auto sender = LiveFrameSender::Create(pair, {.frame_bytes = GetParam(), .flows = 1000});
  if (!sender.ok()) GTEST_SKIP() << sender.status();
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
  std::thread reader([&] {
    test::PinToProcessor(kReaderProcessor);
    received = ReadAll(*source, stop);
  });
  test::PinToProcessor(kSenderProcessor);
  const auto start = std::chrono::steady_clock::now();
  const absl::Status sent = (*sender)->Send(kFrames);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  stop.store(true);
  reader.join();
  ASSERT_TRUE(sent.ok()) << sent;
  RecordProperty("mpps", std::to_string(kFrames / seconds.count() / 1e6));
  std::printf("%.2f Mpps at %u B\n", kFrames / seconds.count() / 1e6, GetParam());
  EXPECT_EQ((*sender)->delivered(), kFrames);
  EXPECT_EQ(received, kFrames);
  EXPECT_EQ(*source->Counters().ring_dropped, 0u);
}

}  // namespace
}  // namespace weir

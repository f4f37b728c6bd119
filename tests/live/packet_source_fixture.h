// What the tests of PacketSource share: a veth pair in namespaces of its own, a sender on each end.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <ctime>
#include <memory>
#include <vector>

#include "rings/packet_source.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

inline constexpr int64_t kMillisecond = 1'000'000;

inline int64_t ClockNs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

inline Bytes UdpFrame(size_t payload, uint16_t port = 53) {
  return PacketBuilder()
      .Ethernet()
      .Ipv4("10.0.0.1", "10.0.0.2")
      .Udp(1000, port)
      .Payload(payload)
      .Build();
}

// A frame with its bytes copied, so that it outlives the batch.
struct Received {
  Frame frame;
  Bytes bytes;
};

// A veth pair and a source on its far end.
class PacketSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<VethPair>();
    {
      const auto scope = pair_->near().Enter();
      sender_ = std::make_unique<RawSender>(VethPair::kNear);
    }
    {
      const auto scope = pair_->far().Enter();
      far_sender_ = std::make_unique<RawSender>(VethPair::kFar);
    }
    options_.interface = VethPair::kFar;
    options_.ring = {.ring_bytes = 4 << 20, .block_bytes = 128 << 10, .retire_ms = 2};
  }

  absl::StatusOr<std::unique_ptr<PacketSource>> Open() {
    const auto scope = pair_->far().Enter();
    return PacketSource::Open(options_);
  }

  void MustOpen() {
    auto source = Open();
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
  }

  // Frames until `count` have come or so much time has passed.
  std::vector<Received> Receive(size_t count, int64_t within_ns = 5000 * kMillisecond) {
    std::vector<Received> all;
    Frame frames[kBatchFrames];
    const int64_t deadline = ClockNs() + within_ns;
    while (all.size() < count && ClockNs() < deadline && !source_->ended()) {
      const int got = source_->Receive(frames);
      for (int i = 0; i < got; ++i) {
        const Frame& frame = frames[i];
        all.push_back({frame, Bytes(frame.data, frame.data + frame.captured_length)});
      }
      source_->Release();
      if (got == 0) WaitReadable(20);
    }
    return all;
  }

  // What comes although nothing should: soon, if at all.
  std::vector<Received> ReceiveStray() { return Receive(1, 200 * kMillisecond); }

  bool WaitReadable(int timeout_ms) {
    pollfd polled = {source_->wait_fd(), POLLIN, 0};
    return poll(&polled, 1, timeout_ms) == 1;
  }

  std::unique_ptr<VethPair> pair_;
  std::unique_ptr<RawSender> sender_;
  std::unique_ptr<RawSender> far_sender_;
  PacketSourceOptions options_;
  std::unique_ptr<PacketSource> source_;
};

}  // namespace weir::test

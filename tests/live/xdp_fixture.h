// What the tests of AF_XDP share: a veth pair in namespaces of its own, a sender on its near end, a
// group of sources on its far end.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <memory>
#include <vector>

#include "rings/xdp_group.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

inline Bytes UdpFrame(size_t payload, uint16_t port = 53, const char* to = "10.0.0.2") {
  return PacketBuilder().Ethernet().Ipv4("10.0.0.1", to).Udp(1000, port).Payload(payload).Build();
}

// A frame with its bytes copied, so that it outlives the batch.
struct Received {
  Frame frame;
  Bytes bytes;
};

class XdpTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    MakePair(1);
    options_.interface = VethPair::kFar;
    options_.ring_bytes = 1 << 20;
  }

  void MakePair(int queues) {
    pair_ = std::make_unique<VethPair>(queues);
    const auto scope = pair_->near().Enter();
    sender_ = std::make_unique<RawSender>(VethPair::kNear);
  }

  absl::StatusOr<XdpGroup> Open(int count = 1) {
    const auto scope = pair_->far().Enter();
    return OpenXdpGroup(options_, count);
  }

  void MustOpen() {
    auto group = Open();
    ASSERT_TRUE(group.ok()) << group.status();
    group_ = *std::move(group);
  }

  XdpSource& source() { return *group_.sources.front(); }

  // Frames of the first queue until `count` have come or so much time has passed.
  std::vector<Received> Receive(size_t count,
                                std::chrono::milliseconds within = std::chrono::seconds(20)) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    std::vector<Received> all;
    Frame frames[kBatchFrames];
    while (all.size() < count && std::chrono::steady_clock::now() < deadline && !source().ended()) {
      const int got = source().Receive(frames);
      for (int i = 0; i < got; ++i) {
        const Frame& frame = frames[i];
        all.push_back({frame, Bytes(frame.data, frame.data + frame.captured_length)});
      }
      source().Release();
      if (got == 0) WaitReadable(20);
    }
    return all;
  }

  // What comes although nothing should: soon, if at all.
  std::vector<Received> ReceiveStray() { return Receive(1, std::chrono::milliseconds(300)); }

  bool WaitReadable(int timeout_ms) {
    pollfd polled = {source().wait_fd(), POLLIN, 0};
    return poll(&polled, 1, timeout_ms) == 1;
  }

  // XDP programs on the far end, as ip(8) sees it.
  bool HasProgram() {
    const auto scope = pair_->far().Enter();
    return !CheckNoProgram(*FindInterface(VethPair::kFar)).ok();
  }

  std::unique_ptr<VethPair> pair_;
  std::unique_ptr<RawSender> sender_;
  XdpGroupOptions options_;
  XdpGroup group_;
};

}  // namespace weir::test

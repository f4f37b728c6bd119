// What the tests of senders share: a veth pair, a sender on its near end, a capture on its far end.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "rings/packet_source.h"
#include "tests/support/live_frame_sender.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"
#include "tools/load/send/sender.h"

namespace weir::test {

inline std::string NameOfMethod(const testing::TestParamInfo<load::SendMethod>& info) {
  switch (info.param) {
    case load::SendMethod::kLiveFrames:
      return "LiveFrames";
    case load::SendMethod::kXdp:
      return "AfXdp";
    case load::SendMethod::kPacket:
      return "AfPacket";
    default:
      return "Auto";
  }
}

// `count` frames of different contents, from the shortest to a full one: UDP, each with its number.
inline std::vector<Bytes> MixedFrames(uint32_t count, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::vector<Bytes> frames;
  for (uint32_t i = 0; i < count; ++i) {
    Bytes payload(18 + random() % (1514 - 42 - 18 + 1));
    for (uint8_t& byte : payload) byte = random();
    for (int byte = 0; byte < 4; ++byte) payload[byte] = i >> 8 * byte;
    frames.push_back(PacketBuilder()
                         .Ethernet()
                         .Ipv4("10.0.0.1", "10.0.0.2")
                         .Udp(1000 + i % 50, 53)
                         .Payload(payload)
                         .Build());
  }
  return frames;
}

inline std::vector<Frame> AsFrames(const std::vector<Bytes>& all) {
  std::vector<Frame> frames;
  for (const Bytes& bytes : all) frames.push_back(AsFrame(bytes));
  return frames;
}

class SenderFixture : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    ASSERT_TRUE(PinToProcessor(0));
    pair_ = std::make_unique<VethPair>();
    options_.interface = VethPair::kNear;
  }

  // The far end takes XDP frames.
  void SwitchGroOn() {
    const auto scope = pair_->far().Enter();
    ASSERT_EQ(std::system("ethtool -K far0 gro on"), 0);
  }

  absl::Status Open() {
    const auto scope = pair_->near().Enter();
    sender_.reset();
    auto sender = load::OpenSender(options_, &notes_);
    if (!sender.ok()) return sender.status();
    sender_ = *std::move(sender);
    return absl::OkStatus();
  }

  // A block is full after `retire_ms` at the latest: the ring has 128 of them.
  void OpenCapture(uint32_t retire_ms = 1) {
    const auto scope = pair_->far().Enter();
    auto source = PacketSource::Open(
        {.interface = VethPair::kFar, .ring = {.ring_bytes = 32 << 20, .retire_ms = retire_ms}});
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
  }

  // What comes until `count` frames are there, or nothing has come for a while.
  std::vector<Bytes> Capture(size_t count) {
    std::vector<Bytes> all;
    Frame frames[kBatchFrames];
    auto last = std::chrono::steady_clock::now();
    while (all.size() < count &&
           std::chrono::steady_clock::now() < last + std::chrono::seconds(2)) {
      const int got = source_->Receive(frames);
      for (int i = 0; i < got; ++i) {
        all.emplace_back(frames[i].data, frames[i].data + frames[i].captured_length);
        times_.push_back(frames[i].timestamp_ns);
      }
      source_->Release();
      if (got != 0) last = std::chrono::steady_clock::now();
    }
    return all;
  }

  std::unique_ptr<VethPair> pair_;
  load::SendOptions options_;
  std::vector<std::string> notes_;
  std::unique_ptr<load::FrameSender> sender_;
  std::unique_ptr<PacketSource> source_;
  std::vector<int64_t> times_;  // CLOCK_REALTIME of what Capture has seen
};

// For each method; GRO is on at the far end.
class EachSender : public SenderFixture, public testing::WithParamInterface<load::SendMethod> {
 protected:
  void SetUp() override {
    SenderFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    SwitchGroOn();
    options_.method = GetParam();
  }

  void SendManyAndCheck();
};

}  // namespace weir::test

#include "tools/load/send/ceiling.h"

#include <gmock/gmock.h>

#include "rings/clock.h"
#include "tests/tools/load/send/sender_fixture.h"
#include "tools/load/traffic/traffic_model.h"

namespace weir::test {

using load::Ceiling;
using load::CountingSink;
using load::SendMethod;

// A sink on the far end instead of GRO.
class CeilingTest : public SenderFixture, public testing::WithParamInterface<SendMethod> {
 protected:
  void SetUp() override {
    SenderFixture::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const auto scope = pair_->far().Enter();
    auto sink = CountingSink::Attach(VethPair::kFar);
    ASSERT_TRUE(sink.ok()) << sink.status();
    sink_ = *std::move(sink);
    options_.method = GetParam();
  }

  std::unique_ptr<CountingSink> sink_;
};

TEST_P(CeilingTest, WhatWasSentIsCountedFrameForFrameAndByteForByte) {
  ASSERT_EQ(Open(), absl::OkStatus());
  const std::vector<Bytes> sent = MixedFrames(3'000);
  uint64_t bytes = 0;
  for (const Bytes& frame : sent) bytes += frame.size();
  ASSERT_EQ(sender_->Send(AsFrames(sent)), absl::OkStatus());
  ASSERT_EQ(sender_->Finish(), absl::OkStatus());
  EXPECT_EQ(sink_->counts().frames, sender_->sent());
  ASSERT_EQ(sender_->refused(), 0);
  EXPECT_EQ(sink_->counts().bytes, bytes);
}

TEST_P(CeilingTest, ReportsBothSidesOfARunAndTheyAgree) {
  ASSERT_EQ(Open(), absl::OkStatus());
  const std::vector<Bytes> sent = MixedFrames(500);
  const auto ceiling = load::ProveCeiling(*sender_, *sink_, AsFrames(sent), 0.2);
  ASSERT_TRUE(ceiling.ok()) << ceiling.status();
  EXPECT_GT(ceiling->sent, 500);
  EXPECT_EQ(ceiling->sent, ceiling->counted);
  EXPECT_EQ(ceiling->sent + ceiling->refused, sender_->progress().frames);
  EXPECT_NEAR(ceiling->counted_per_second * 0.2, double(ceiling->counted),
              0.5 * double(ceiling->counted));
  RecordProperty("frames_per_second", std::to_string(ceiling->counted_per_second));
}

TEST_P(CeilingTest, TheModelsTrafficArrivesAsItsTruthSays) {
  load::TrafficProfile profile;
  profile.packets = 20'000;
  profile.flows = 100;
  profile.udp = 0.3;
  profile.ipv6 = 0.2;
  profile.sizes = {{64, 7}, {576, 4}, {1400, 1}};
  profile.vlans = {7, 8};
  profile.reorder = 0.05;
  profile.fragment = 0.1;
  profile.probe_every = 100;
  auto model = load::TrafficModel::Create(profile);
  ASSERT_TRUE(model.ok()) << model.status();
  options_.most_frame_bytes = 1518;
  ASSERT_EQ(Open(), absl::OkStatus());
  for (;;) {
    const std::span<const Frame> frames = (*model)->Next(64);
    if (frames.empty()) break;
    ASSERT_EQ(sender_->Send(frames), absl::OkStatus());
  }
  ASSERT_EQ(sender_->Finish(), absl::OkStatus());
  EXPECT_EQ(sink_->counts().frames + sender_->refused(), (*model)->truth().frames);
  if (sender_->refused() != 0) return;
  EXPECT_EQ(sink_->counts().bytes, (*model)->truth().wire_bytes);
}

TEST_P(CeilingTest, TheSinkGoesWithItsObject) {
  sink_.reset();
  const auto scope = pair_->far().Enter();
  EXPECT_TRUE(CountingSink::Attach(VethPair::kFar).ok());
}

TEST_P(CeilingTest, ASecondSinkIsRefused) {
  const auto scope = pair_->far().Enter();
  EXPECT_FALSE(CountingSink::Attach(VethPair::kFar).ok());
}

INSTANTIATE_TEST_SUITE_P(Methods, CeilingTest,
                         testing::Values(SendMethod::kLiveFrames, SendMethod::kXdp,
                                         SendMethod::kPacket),
                         NameOfMethod);

// Prints what each method can do; by name only, for it says nothing on a machine that is busy.
TEST_P(CeilingTest, DISABLED_Measure) {
  for (const uint32_t bytes : {60u, 1514u}) {
    const Bytes frame = PacketBuilder()
                            .Ethernet()
                            .Ipv4("10.0.0.1", "10.0.0.2")
                            .Udp(1, 2)
                            .Payload(bytes - 42)
                            .Build();
    const std::vector<Frame> frames(2'000, AsFrame(frame));
    ASSERT_EQ(Open(), absl::OkStatus());
    const int64_t before = ReadClockNs(CLOCK_THREAD_CPUTIME_ID);
    const auto ceiling = load::ProveCeiling(*sender_, *sink_, frames, 1);
    const int64_t used = ReadClockNs(CLOCK_THREAD_CPUTIME_ID) - before;
    ASSERT_TRUE(ceiling.ok()) << ceiling.status();
    printf(
        "%s %u B: %.2f Mpps and %.1f Gbit/s counted, %lu refused; %.0f ns of processor a frame\n",
        NameOf(GetParam()), bytes, ceiling->counted_per_second / 1e6,
        ceiling->bits_per_second / 1e9, static_cast<unsigned long>(ceiling->refused),
        double(used) / double(ceiling->sent + ceiling->refused));
  }
}

TEST_P(CeilingTest, DISABLED_MeasureRates) {
  const std::vector<Bytes> sent = MixedFrames(100);
  for (const double rate : {10e3, 200e3, 400e3, 1e6}) {
    options_.packets_per_second = rate;
    ASSERT_EQ(Open(), absl::OkStatus());
    const auto ceiling = load::ProveCeiling(*sender_, *sink_, AsFrames(sent), 1);
    ASSERT_TRUE(ceiling.ok()) << ceiling.status();
    printf("%s at %.0f/s: %.0f/s counted, %lu refused\n", NameOf(GetParam()), rate,
           ceiling->counted_per_second, static_cast<unsigned long>(ceiling->refused));
  }
}

}  // namespace weir::test

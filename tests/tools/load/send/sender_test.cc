#include "tools/load/send/sender.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/time.h>

#include "rings/clock.h"
#include "tests/tools/load/send/sender_fixture.h"
#include "tools/load/traffic/payload.h"

namespace weir::test {

using load::SendMethod;
using testing::HasSubstr;

TEST_P(EachSender, EachFrameArrivesAsItWasSentAndInOrder) {
  OpenCapture();
  ASSERT_EQ(Open(), absl::OkStatus());
  const std::vector<Bytes> sent = MixedFrames(10'000);
  const std::vector<Frame> frames = AsFrames(sent);
  // In calls of different lengths, and slowly enough for the capture.
  std::vector<Bytes> received;
  for (size_t at = 0; at < frames.size();) {
    const size_t count = std::min(frames.size() - at, 1 + at % 900);
    ASSERT_EQ(sender_->Send(std::span(frames).subspan(at, count)), absl::OkStatus());
    ASSERT_EQ(sender_->Flush(), absl::OkStatus());
    for (Bytes& bytes : Capture(count)) received.push_back(std::move(bytes));
    at += count;
    ASSERT_EQ(received.size(), at);
  }
  ASSERT_EQ(sender_->Finish(), absl::OkStatus());
  for (size_t i = 0; i < sent.size(); ++i) ASSERT_EQ(received[i], sent[i]) << "frame " << i;
  EXPECT_EQ(sender_->sent(), sent.size());
  EXPECT_EQ(sender_->refused(), 0);
}

// Sends 20,000 frames at once; all that arrived are of them, in their order, none twice, and the
// rest was counted.
void EachSender::SendManyAndCheck() {
  OpenCapture();
  ASSERT_EQ(Open(), absl::OkStatus());
  const std::vector<Bytes> sent = MixedFrames(20'000, 7);
  ASSERT_EQ(sender_->Send(AsFrames(sent)), absl::OkStatus());
  ASSERT_EQ(sender_->Finish(), absl::OkStatus());
  const std::vector<Bytes> received = Capture(sent.size());
  EXPECT_EQ(sender_->sent() + sender_->refused(), sent.size());
  const auto dropped = source_->Counters().ring_dropped.value_or(0);
  EXPECT_EQ(received.size() + dropped, sender_->sent());
  size_t at = 0;
  for (const Bytes& bytes : received) {
    while (at < sent.size() && sent[at] != bytes) ++at;
    ASSERT_LT(at, sent.size()) << "a frame that was not sent, or was sent before";
    ++at;
  }
}

TEST_P(EachSender, ALongRunLosesAndRepeatsNothingUnsaid) { SendManyAndCheck(); }

TEST_P(EachSender, SignalsLoseAndRepeatNothing) {
  struct sigaction action = {}, before = {};
  action.sa_handler = [](int) {};
  sigaction(SIGALRM, &action, &before);
  const itimerval often = {{0, 500}, {0, 500}}, never = {};
  setitimer(ITIMER_REAL, &often, nullptr);
  SendManyAndCheck();
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &before, nullptr);
}

TEST_P(EachSender, ATagThatTheCaptureTookOutIsPutBack) {
  OpenCapture();
  ASSERT_EQ(Open(), absl::OkStatus());
  const Bytes bytes =
      PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Payload(40).Build();
  Frame frame = AsFrame(bytes);
  frame.vlan_tpid = 0x8100;
  frame.vlan_tci = 77;
  ASSERT_EQ(sender_->Send({&frame, 1}), absl::OkStatus());
  ASSERT_EQ(sender_->Finish(), absl::OkStatus());
  Frame got;
  for (int i = 0; i < 1000 && source_->Receive({&got, 1}) == 0; ++i) usleep(1000);
  ASSERT_NE(got.data, nullptr);
  EXPECT_EQ(got.vlan_tci, 77);
  EXPECT_EQ(Bytes(got.data, got.data + got.captured_length), bytes);
}

TEST_P(EachSender, AProbeBearsTheTimeItLeftAtAndOthersAreLeftAlone) {
  OpenCapture();
  ASSERT_EQ(Open(), absl::OkStatus());
  std::vector<Bytes> sent = MixedFrames(200);
  for (size_t i = 0; i < sent.size(); i += 50) {
    const load::ProbePayload payload = {load::kProbeMark, i, 0};
    Bytes bytes(sizeof payload);
    std::memcpy(bytes.data(), &payload, sizeof payload);
    sent[i] =
        PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Payload(bytes).Build();
  }
  const int64_t before = ReadClockNs(CLOCK_MONOTONIC);
  ASSERT_EQ(sender_->Send(AsFrames(sent)), absl::OkStatus());
  ASSERT_EQ(sender_->Finish(), absl::OkStatus());
  const int64_t after = ReadClockNs(CLOCK_MONOTONIC);
  const std::vector<Bytes> received = Capture(sent.size());
  ASSERT_EQ(received.size(), sent.size());
  int64_t last = before;
  for (size_t i = 0; i < sent.size(); ++i) {
    if (i % 50 != 0) {
      ASSERT_EQ(received[i], sent[i]) << "frame " << i;
      continue;
    }
    load::ProbePayload payload;
    std::memcpy(&payload, &received[i][load::kProbeOffset], sizeof payload);
    EXPECT_EQ(payload.number, i);
    EXPECT_GE(int64_t(payload.sent_ns), last);
    EXPECT_LE(int64_t(payload.sent_ns), after);
    last = payload.sent_ns;
  }
}

TEST_P(EachSender, AFrameThatDoesNotFitIsRefusedWithTheReason) {
  options_.most_frame_bytes = 200;
  ASSERT_EQ(Open(), absl::OkStatus());
  const Bytes bytes(201);
  const Frame frame = AsFrame(bytes);
  const auto status = sender_->Send({&frame, 1});
  EXPECT_THAT(std::string(status.message()), HasSubstr("201 bytes"));
}

INSTANTIATE_TEST_SUITE_P(Methods, EachSender,
                         testing::Values(SendMethod::kLiveFrames, SendMethod::kXdp,
                                         SendMethod::kPacket),
                         NameOfMethod);

TEST_F(SenderFixture, AutoTakesLiveFramesWhereTheOtherEndTakesThem) {
  SwitchGroOn();
  {  // in one namespace: only there can it be seen
    pair_->near().Ip(absl::StrCat("link add left0 type veth peer name right0"));
    pair_->near().Ip("link set left0 up");
    pair_->near().Ip("link set right0 up");
  }
  options_.interface = "left0";
  ASSERT_EQ(Open(), absl::OkStatus());
  EXPECT_EQ(sender_->method(), SendMethod::kXdp);
  ASSERT_THAT(notes_, testing::SizeIs(1));
  EXPECT_THAT(notes_[0], HasSubstr("gro on"));
  notes_.clear();
  options_.gro_on_peer = true;
  ASSERT_EQ(Open(), absl::OkStatus());
  EXPECT_EQ(sender_->method(), SendMethod::kLiveFrames);
  EXPECT_THAT(notes_, testing::IsEmpty());
}

TEST_F(SenderFixture, LiveFramesIntoNothingAreAnError) {
  SwitchGroOn();
  options_.method = SendMethod::kLiveFrames;
  ASSERT_EQ(Open(), absl::OkStatus());
  {
    const auto scope = pair_->far().Enter();
    ASSERT_EQ(std::system("ethtool -K far0 gro off"), 0);
  }
  const std::vector<Bytes> sent = MixedFrames(10);
  ASSERT_EQ(sender_->Send(AsFrames(sent)), absl::OkStatus());
  EXPECT_THAT(std::string(sender_->Finish().message()), HasSubstr("takes no XDP frames"));
  EXPECT_EQ(sender_->refused(), 10);
}

TEST_F(SenderFixture, AMethodThatIsAskedForIsTakenOrRefused) {
  options_.method = SendMethod::kLiveFrames;
  options_.interface = "lo";
  EXPECT_THAT(std::string(Open().message()), HasSubstr("lo takes no live frames"));
}

TEST_F(SenderFixture, JumboFramesGoByThePacketRingOnly) {
  pair_->near().Ip("link set near0 mtu 9000");
  pair_->far().Ip("link set far0 mtu 9000");
  OpenCapture();
  options_.most_frame_bytes = 9014;
  options_.method = SendMethod::kAuto;
  ASSERT_EQ(Open(), absl::OkStatus());
  EXPECT_EQ(sender_->method(), SendMethod::kPacket);
  EXPECT_THAT(notes_[0], HasSubstr("at most 3328 bytes"));
  const Bytes bytes =
      PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Payload(9014 - 42).Build();
  const Frame frame = AsFrame(bytes);
  ASSERT_EQ(sender_->Send({&frame, 1}), absl::OkStatus());
  ASSERT_EQ(sender_->Finish(), absl::OkStatus());
  const std::vector<Bytes> received = Capture(1);
  ASSERT_EQ(received.size(), 1);
  EXPECT_EQ(received[0], bytes);
}

TEST_F(SenderFixture, FramesLongerThanTheMtuAreRefusedBeforehand) {
  options_.most_frame_bytes = 1519;
  EXPECT_THAT(std::string(Open().message()), HasSubstr("mtu"));
}

}  // namespace weir::test

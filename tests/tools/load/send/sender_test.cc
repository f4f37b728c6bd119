#include "tools/load/send/sender.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include <thread>

#include "rings/clock.h"
#include "rings/xdp_group.h"
#include "rings/xdp_program.h"
#include "tests/rings/capture_bytes.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_folder.h"
#include "tests/tools/load/send/sender_fixture.h"
#include "tools/load/send/replay.h"
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

// Sends 8,000 frames at once; all that arrived are of them, in their order, none twice, and the
// rest was counted.
void EachSender::SendManyAndCheck() {
  OpenCapture();
  ASSERT_EQ(Open(), absl::OkStatus());
  const std::vector<Bytes> sent = MixedFrames(8'000, 7);
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
  EXPECT_TRUE(Eventually([&] { return source_->Receive({&got, 1}) > 0; }));
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

TEST_P(EachSender, AReplayArrivesAsTheFileHasIt) {
  const std::vector<Bytes> sent = MixedFrames(300);
  CaptureBytes file;
  file.PcapHeader();
  for (size_t i = 0; i < sent.size(); ++i) {
    file.PcapRecord(1, i * 100, std::string(sent[i].begin(), sent[i].end()));
  }
  const TemporaryFolder folder;
  WriteFile(folder.File("seen.pcap"), file.bytes());
  OpenCapture(50);
  ASSERT_EQ(Open(), absl::OkStatus());
  auto replay = load::Replay::Open(folder.File("seen.pcap"), {.loops = 2});
  ASSERT_TRUE(replay.ok()) << replay.status();
  for (bool more = true; more;) {
    const auto stepped = (*replay)->Step(*sender_);
    ASSERT_TRUE(stepped.ok()) << stepped.status();
    more = *stepped;
  }
  const std::vector<Bytes> received = Capture(600);
  ASSERT_EQ(received.size(), 600);
  for (size_t i = 0; i < 600; ++i) ASSERT_EQ(received[i], sent[i % 300]) << "frame " << i;
}

TEST_P(EachSender, AnAfXdpReceiverSeesTheSameBytes) {
  XdpGroup group;
  {
    const auto scope = pair_->far().Enter();
    auto opened = OpenXdpGroup({.interface = VethPair::kFar, .ring_bytes = 8 << 20}, 1);
    ASSERT_TRUE(opened.ok()) << opened.status();
    group = *std::move(opened);
  }
  ASSERT_EQ(Open(), absl::OkStatus());
  const std::vector<Bytes> sent = MixedFrames(1'000);
  ASSERT_EQ(sender_->Send(AsFrames(sent)), absl::OkStatus());
  ASSERT_EQ(sender_->Finish(), absl::OkStatus());
  std::vector<Bytes> received;
  Frame frames[kBatchFrames];
  EXPECT_TRUE(Eventually([&] {
    const int got = group.sources[0]->Receive(frames);
    for (int j = 0; j < got; ++j)
      received.emplace_back(frames[j].data, frames[j].data + frames[j].captured_length);
    group.sources[0]->Release();
    return received.size() >= sent.size();
  }));
  EXPECT_EQ(received, sent);
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
  EXPECT_THAT(std::string(Open().message()), HasSubstr("takes no live frames"));
}

// A tap takes them only with an XDP program on itself, as most NICs' drivers do.
TEST_F(SenderFixture, LiveFramesGoOutOfADeviceThatIsNoVeth) {
  const auto scope = pair_->near().Enter();
  const UniqueFd tap(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!tap) GTEST_SKIP() << "no /dev/net/tun";
  ifreq request = {};
  strcpy(request.ifr_name, "tap0");
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  ASSERT_EQ(ioctl(tap.get(), TUNSETIFF, &request), 0) << strerror(errno);
  pair_->near().Ip("link set tap0 up");
  options_.method = SendMethod::kLiveFrames;
  options_.interface = "tap0";
  ASSERT_EQ(Open(), absl::OkStatus());
  const std::vector<Bytes> sent = MixedFrames(300);
  std::vector<Bytes> received;
  std::thread reader([&] {
    Bytes buffer(2048);
    pollfd polled = {tap.get(), POLLIN, 0};
    while (received.size() < sent.size() && poll(&polled, 1, 2000) == 1) {
      const ssize_t got = read(tap.get(), buffer.data(), buffer.size());
      if (got > 0) received.emplace_back(buffer.begin(), buffer.begin() + got);
    }
  });
  EXPECT_EQ(sender_->Send(AsFrames(sent)), absl::OkStatus());
  EXPECT_EQ(sender_->Finish(), absl::OkStatus());
  reader.join();
  EXPECT_EQ(received, sent);
  EXPECT_FALSE(CheckNoProgram(*FindInterface("tap0")).ok());
  sender_.reset();
  EXPECT_TRUE(CheckNoProgram(*FindInterface("tap0")).ok());
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

TEST_F(SenderFixture, TheLargestBatchesOfTheLongestLiveFramesFit) {
  SwitchGroOn();
  pair_->near().Ip("link set near0 mtu 3400");
  pair_->far().Ip("link set far0 mtu 3400");
  OpenCapture(50);
  options_.method = SendMethod::kLiveFrames;
  options_.most_frame_bytes = 3328;
  options_.batch = 256;
  ASSERT_EQ(Open(), absl::OkStatus());
  Bytes bytes =
      PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Payload(3328 - 42).Build();
  const Frame frame = AsFrame(bytes);
  for (uint8_t i = 0; i < 200; ++i) {
    bytes[100] = i;
    ASSERT_EQ(sender_->Send(std::vector<Frame>(10, frame)), absl::OkStatus());
  }
  ASSERT_EQ(sender_->Finish(), absl::OkStatus());
  const std::vector<Bytes> received = Capture(2'000);
  ASSERT_EQ(received.size() + sender_->refused(), 2'000);
  if (sender_->refused() != 0) return;
  for (size_t i = 0; i < received.size(); ++i) {
    bytes[100] = i / 10;
    ASSERT_EQ(received[i], bytes) << "frame " << i;
  }
}

TEST_F(SenderFixture, FramesLongerThanTheMtuAreRefusedBeforehand) {
  options_.most_frame_bytes = 1519;
  EXPECT_THAT(std::string(Open().message()), HasSubstr("mtu"));
}

}  // namespace weir::test

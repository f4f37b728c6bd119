// An AF_XDP source on a veth: what comes out, in each mode, and what is counted.
#include "rings/xdp_source.h"

#include <gmock/gmock.h>

#include <ctime>

#include "tests/live/xdp_fixture.h"

namespace weir::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class XdpModeTest : public XdpTest, public testing::WithParamInterface<XdpMode> {
 protected:
  void SetUp() override {
    XdpTest::SetUp();
    options_.mode = GetParam();
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, XdpModeTest, testing::Values(XdpMode::kCopy, XdpMode::kGeneric),
                         [](const auto& test) {
                           return test.param == XdpMode::kCopy ? "Copy" : "Generic";
                         });

TEST_P(XdpModeTest, FramesComeOutAsTheyWereSent) {
  MustOpen();
  const Bytes frames[] = {UdpFrame(0), UdpFrame(700), UdpFrame(1472)};
  for (const Bytes& frame : frames) sender_->Send(frame);
  const auto got = Receive(3);
  ASSERT_THAT(got, SizeIs(3));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(got[i].bytes, frames[i]);
    EXPECT_EQ(got[i].frame.wire_length, frames[i].size());
    EXPECT_EQ(got[i].frame.link_type, link_type::kEthernet);
  }
}

TEST_P(XdpModeTest, FramesBearTheClock) {
  MustOpen();
  timespec before, after;
  clock_gettime(CLOCK_REALTIME, &before);
  sender_->Send(UdpFrame(30));
  const auto got = Receive(1);
  clock_gettime(CLOCK_REALTIME, &after);
  ASSERT_THAT(got, SizeIs(1));
  const auto ns = [](const timespec& t) { return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; };
  EXPECT_GE(got[0].frame.timestamp_ns, ns(before));
  EXPECT_LE(got[0].frame.timestamp_ns, ns(after));
}

TEST_P(XdpModeTest, AJumboFrameInSeveralPiecesComesOutWhole) {
  pair_->near().Ip("link set near0 mtu 9000");
  pair_->far().Ip("link set far0 mtu 9000");
  MustOpen();
  Bytes payload(8900);
  for (size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<uint8_t>(i * 7 + i / 256);
  const Bytes frame =
      PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Payload(payload).Build();
  // Some small ones between them, so that pieces and whole frames change places in the ring.
  for (int i = 0; i < 5; ++i) {
    sender_->Send(frame);
    sender_->Send(UdpFrame(10));
  }
  const auto got = Receive(10);
  ASSERT_THAT(got, SizeIs(10));
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(got[i].bytes, i % 2 == 0 ? frame : UdpFrame(10)) << i;
}

TEST_P(XdpModeTest, MoreFramesThanTheRingHasChunksComeOutWhenItIsEmptiedMeanwhile) {
  MustOpen();
  const auto chunks = source().Fill().units;
  uint32_t sent = 0, got = 0;
  while (sent < 3 * chunks) {
    for (int i = 0; i < 100; ++i) sender_->Send(UdpFrame(30, static_cast<uint16_t>(sent++)));
    got += static_cast<uint32_t>(Receive(100).size());
  }
  EXPECT_EQ(got, sent);
  EXPECT_EQ(*source().Counters().ring_dropped, 0u);
}

TEST_P(XdpModeTest, WhatTheRingHasNoRoomForIsCounted) {
  options_.ring_bytes = 256 << 10;
  MustOpen();
  const uint32_t chunks = source().Fill().units;
  for (uint32_t i = 0; i < chunks + 50; ++i) sender_->Send(UdpFrame(30));
  EXPECT_EQ(source().Fill().used, chunks);
  EXPECT_THAT(Receive(chunks), SizeIs(chunks));
  EXPECT_EQ(source().Counters().received, chunks);
  EXPECT_EQ(*source().Counters().ring_dropped, 50u);
}

TEST_P(XdpModeTest, JumboFramesThatTheRingHasNoRoomForAreCounted) {
  pair_->near().Ip("link set near0 mtu 9000");
  pair_->far().Ip("link set far0 mtu 9000");
  options_.ring_bytes = 512 << 10;
  MustOpen();
  ASSERT_EQ(source().Fill().units, 128u);
  constexpr size_t kSent = 60;  // three pieces each
  for (size_t i = 0; i < kSent; ++i) sender_->Send(UdpFrame(8900));
  const size_t got = Receive(128 / 3).size();
  EXPECT_EQ(got, 128u / 3);
  EXPECT_THAT(ReceiveStray(), IsEmpty());
  EXPECT_EQ(*source().Counters().ring_dropped, kSent - got);
  sender_->Send(UdpFrame(8900));
  EXPECT_THAT(Receive(1), SizeIs(1)) << "the pieces did not come back";
}

TEST_P(XdpModeTest, ASnapLengthCutsFrames) {
  options_.snap_length = 60;
  MustOpen();
  sender_->Send(UdpFrame(700));
  const auto got = Receive(1);
  ASSERT_THAT(got, SizeIs(1));
  EXPECT_EQ(got[0].frame.captured_length, 60u);
  EXPECT_EQ(got[0].frame.wire_length, UdpFrame(700).size());
}

TEST_P(XdpModeTest, WithoutAnAddressEverythingIsTaken) {
  MustOpen();
  sender_->Send(PacketBuilder().Ethernet().Raw(Bytes(28), 0x0806).Build());
  sender_->Send(PacketBuilder().Ethernet().Raw(Bytes(60), 0x88cc).Build());
  EXPECT_THAT(Receive(2), SizeIs(2));
  EXPECT_EQ(source().Counters().left_to_host, 0u);
}

TEST_P(XdpModeTest, TheProgramGoesWithTheGroup) {
  EXPECT_FALSE(HasProgram());
  MustOpen();
  EXPECT_TRUE(HasProgram());
  group_ = {};
  EXPECT_FALSE(HasProgram());
}

TEST_P(XdpModeTest, OpenedAgainAtOnceItWorks) {
  for (int i = 0; i < 3; ++i) {
    group_ = {};
    MustOpen();
    sender_->Send(UdpFrame(30));
    EXPECT_THAT(Receive(1), SizeIs(1));
  }
}

TEST_F(XdpTest, ZeroCopyIsRefusedWhereTheDriverHasNone) {
  options_.mode = XdpMode::kZeroCopy;
  const auto group = Open();
  ASSERT_FALSE(group.ok());
  EXPECT_THAT(std::string(group.status().message()), testing::HasSubstr("zero-copy"));
  EXPECT_FALSE(HasProgram());
}

TEST_F(XdpTest, StopIntakeKeepsWhatCameBeforeAndThenEnds) {
  MustOpen();
  for (int i = 0; i < 5; ++i) sender_->Send(UdpFrame(30));
  ASSERT_TRUE(source().StopIntake());
  sender_->Send(UdpFrame(30));
  EXPECT_FALSE(source().ended());
  EXPECT_THAT(Receive(6), SizeIs(5));
  EXPECT_TRUE(source().ended());
  EXPECT_TRUE(source().status().ok());
  EXPECT_EQ(source().Counters().left_to_host, 1u);
}

TEST_F(XdpTest, AnInterfaceThatIsRemovedEndsTheSourceAfterItsFrames) {
  MustOpen();
  for (int i = 0; i < 5; ++i) sender_->Send(UdpFrame(30));
  pair_->far().Ip("link del far0");
  EXPECT_THAT(Receive(6), SizeIs(5));
  EXPECT_TRUE(source().ended());
  EXPECT_EQ(source().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(source().status().message()), testing::HasSubstr("far0 was removed"));
}

TEST_F(XdpTest, AnInterfaceThatWasDownGoesOnWhenItIsUp) {
  MustOpen();
  pair_->far().Ip("link set far0 down");
  EXPECT_THAT(ReceiveStray(), IsEmpty());
  EXPECT_FALSE(source().ended());
  pair_->far().Ip("link set far0 up");
  std::vector<Received> got;
  for (int i = 0; i < 20 && got.empty(); ++i) {
    sender_->Send(UdpFrame(30));
    got = ReceiveStray();
  }
  EXPECT_FALSE(got.empty());
}

}  // namespace
}  // namespace weir::test

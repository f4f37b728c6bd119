// Frames of a live interface: their bytes, lengths, tags, time stamps and directions, and which of
// them come.
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "tests/live/packet_source_fixture.h"

namespace weir::test {
namespace {

using testing::IsEmpty;

TEST_F(PacketSourceTest, BytesAndLengthsAreThoseSent) {
  MustOpen();
  for (size_t payload : {size_t{18}, size_t{600}, size_t{1472}}) {
    const Bytes sent = UdpFrame(payload);
    sender_->Send(sent);
    const auto got = Receive(1);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].bytes, sent);
    EXPECT_EQ(got[0].frame.wire_length, sent.size());
    EXPECT_EQ(got[0].frame.vlan_tpid, 0);
    EXPECT_EQ(got[0].frame.link_type, link_type::kEthernet);
  }
}

TEST_F(PacketSourceTest, TimestampsAreNanosecondsOfTheClock) {
  MustOpen();
  const int64_t before = ClockNs();
  bool below_microsecond = false;
  for (int i = 0; i < 8; ++i) {
    sender_->Send(UdpFrame(20));
  }
  const auto got = Receive(8);
  const int64_t after = ClockNs();
  ASSERT_EQ(got.size(), 8u);
  int64_t last = before;
  for (const Received& received : got) {
    EXPECT_GE(received.frame.timestamp_ns, last);
    EXPECT_LE(received.frame.timestamp_ns, after);
    below_microsecond |= received.frame.timestamp_ns % 1000 != 0;
    last = received.frame.timestamp_ns;
  }
  EXPECT_TRUE(below_microsecond);
}

TEST_F(PacketSourceTest, AStrippedTagIsInTheMetadataAndInTheLength) {
  MustOpen();
  const Bytes sent = PacketBuilder()
                         .Ethernet()
                         .Vlan(100, 0x8100, 5)
                         .Ipv4("10.0.0.1", "10.0.0.2")
                         .Udp(1000, 53)
                         .Payload(40)
                         .Build();
  sender_->Send(sent);
  const auto got = Receive(1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].frame.vlan_tpid, 0x8100);
  EXPECT_EQ(got[0].frame.vlan_tci, 5 << 13 | 100);
  EXPECT_EQ(got[0].bytes.size(), sent.size() - 4);
  EXPECT_EQ(got[0].frame.wire_length, sent.size());
}

TEST_F(PacketSourceTest, TheOuterTagOf8021adKeepsItsTpid) {
  MustOpen();
  sender_->Send(PacketBuilder()
                    .Ethernet()
                    .Vlan(10, 0x88a8)
                    .Vlan(20)
                    .Ipv4("10.0.0.1", "10.0.0.2")
                    .Udp(1000, 53)
                    .Payload(40)
                    .Build());
  const auto got = Receive(1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].frame.vlan_tpid, 0x88a8);
  EXPECT_EQ(got[0].frame.vlan_tci & 0xfff, 10);
}

TEST_F(PacketSourceTest, DirectionSaysHowAFramePassed) {
  MustOpen();
  const auto send_to = [&](const char* destination) {
    sender_->Send(PacketBuilder()
                      .Ethernet("02:00:00:00:00:01", destination)
                      .Ipv4("10.0.0.1", "10.0.0.2")
                      .Udp(1, 2)
                      .Payload(30)
                      .Build());
  };
  pair_->far().Ip("link set far0 address 02:00:00:00:00:fa");
  send_to("02:00:00:00:00:fa");
  send_to("ff:ff:ff:ff:ff:ff");
  send_to("01:00:5e:00:00:01");
  send_to("02:00:00:00:00:99");
  far_sender_->Send(UdpFrame(30));
  const auto got = Receive(5);
  ASSERT_EQ(got.size(), 5u);
  EXPECT_EQ(got[0].frame.direction, FrameDirection::kHost);
  EXPECT_EQ(got[1].frame.direction, FrameDirection::kBroadcast);
  EXPECT_EQ(got[2].frame.direction, FrameDirection::kMulticast);
  EXPECT_EQ(got[3].frame.direction, FrameDirection::kOtherHost);
  EXPECT_EQ(got[4].frame.direction, FrameDirection::kOutgoing);
}

TEST_F(PacketSourceTest, DirectionInLeavesOutWhatThisHostSends) {
  options_.direction = CaptureDirection::kIn;
  MustOpen();
  far_sender_->Send(UdpFrame(30, 1111));
  sender_->Send(UdpFrame(30, 2222));
  const auto got = Receive(2);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].bytes, UdpFrame(30, 2222));
}

TEST_F(PacketSourceTest, DirectionOutLeavesOutWhatComesIn) {
  options_.direction = CaptureDirection::kOut;
  options_.filter = "udp port 1111";
  MustOpen();
  sender_->Send(UdpFrame(30, 1111));
  far_sender_->Send(UdpFrame(30, 1111));
  far_sender_->Send(UdpFrame(30, 2222));
  const auto got = Receive(2);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].frame.direction, FrameDirection::kOutgoing);
}

TEST_F(PacketSourceTest, SnapLengthCutsTheBytesNotTheLength) {
  options_.snap_length = 96;
  MustOpen();
  sender_->Send(UdpFrame(1000));
  const auto got = Receive(1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].bytes.size(), 96u);
  EXPECT_EQ(got[0].frame.wire_length, UdpFrame(1000).size());
}

TEST_F(PacketSourceTest, FilterFindsPortsBehindAStrippedTag) {
  options_.filter = "vlan and tcp port 80";
  MustOpen();
  const auto tcp = [](bool tagged, uint16_t port) {
    PacketBuilder builder;
    builder.Ethernet();
    if (tagged) builder.Vlan(7);
    return builder.Ipv4("10.0.0.1", "10.0.0.2").Tcp(4000, port).Payload(30).Build();
  };
  sender_->Send(tcp(false, 80));
  sender_->Send(tcp(true, 81));
  sender_->Send(tcp(true, 80));
  const auto got = Receive(2);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].frame.wire_length, tcp(true, 80).size());
  EXPECT_EQ(got[0].frame.vlan_tci, 7);
  FilterCounts refused{};
  refused[static_cast<size_t>(FilterReason::kExpression)] = 2;
  EXPECT_EQ(source_->Counters().kernel_filtered, refused);
}

TEST_F(PacketSourceTest, NoFrameComesInBeforeTheFilter) {
  options_.filter = "udp port 1111";
  std::atomic<bool> stop{false};
  std::thread flood([&] {
    while (!stop.load()) sender_->Send(UdpFrame(30, 2222));
  });
  for (int i = 0; i < 5; ++i) {
    MustOpen();
    EXPECT_THAT(ReceiveStray(), IsEmpty());
  }
  stop.store(true);
  flood.join();
}

TEST_F(PacketSourceTest, ATinyRingCountsWhatItDropsAndKeepsTheTotal) {
  constexpr uint64_t kFrames = 3000;
  options_.ring.ring_bytes = 256 << 10;
  MustOpen();
  uint64_t received = 0;
  uint64_t dropped = 0;
  for (int round = 0; round < 2; ++round) {
    for (uint64_t i = 0; i < kFrames; ++i) sender_->Send(UdpFrame(1000));
    received += Receive(kFrames, 500 * kMillisecond).size();
    const SourceCounters counters = source_->Counters();
    EXPECT_GT(*counters.ring_dropped, dropped);
    dropped = *counters.ring_dropped;
    EXPECT_EQ(counters.received, received);
    EXPECT_EQ(received + dropped, kFrames * static_cast<uint64_t>(round + 1));
    EXPECT_GT(*counters.ring_freezes, 0u);
    EXPECT_EQ(*counters.KernelFilteredTotal(), 0u);
    EXPECT_EQ(counters.broken_blocks, 0u);
  }
}

TEST_F(PacketSourceTest, AFrameOf64KiBFits) {
  // Sent over lo with a large MTU, where no device cuts it.
  const auto scope = pair_->near().Enter();
  options_.interface = "lo";
  auto source = PacketSource::Open(options_);
  ASSERT_TRUE(source.ok()) << source.status();
  source_ = *std::move(source);
  pair_->near().Ip("link set lo mtu 65536");
  RawSender lo("lo");
  const Bytes sent = UdpFrame(65536 - 28);
  lo.Send(sent);
  const auto got = Receive(2);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].bytes.size(), sent.size());
  EXPECT_EQ(got[0].frame.direction, FrameDirection::kOutgoing);
  EXPECT_EQ(got[1].frame.captured_length, sent.size());
}

TEST_F(PacketSourceTest, LocallySentDatagramsHaveNoChecksumYet) {
  const auto scope = pair_->near().Enter();
  options_.interface = "lo";
  auto source = PacketSource::Open(options_);
  ASSERT_TRUE(source.ok()) << source.status();
  source_ = *std::move(source);
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(9);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(sendto(fd.get(), "weir", 4, 0, reinterpret_cast<sockaddr*>(&to), sizeof to), 4);
  const auto got = Receive(1);
  ASSERT_GE(got.size(), 1u);
  EXPECT_EQ(got[0].frame.checksum, ChecksumStatus::kNotReady);
}

}  // namespace
}  // namespace weir::test

// What plain bits may be set of: later stages look at nothing else then.
#include "tests/engine/packet/decoding.h"

namespace weir::test {
namespace {

const TcpFields kData{.flags = tcp_flag::kAck | tcp_flag::kPsh};

PacketBuilder Ipv4Frame() { return PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2"); }

bool IsPlain(const PacketBuilder& builder) { return IsPlainSegment(DecodeFrame(builder).packet); }

TEST(DecodePlain, SegmentOverIpv4OverEthernet) {
  EXPECT_TRUE(IsPlain(Ipv4Frame().Tcp(1, 2, kData).Payload("hello")));
  EXPECT_TRUE(IsPlain(Ipv4Frame().Tcp(1, 2, {.flags = tcp_flag::kAck})));
}

TEST(DecodePlain, ItsAddressesStandSideBySide) {
  const Decoded d = DecodeFrame(Ipv4Frame().Tcp(1, 2, kData));
  ASSERT_TRUE(IsPlainSegment(d.packet));
  EXPECT_EQ(d.packet.destination, d.packet.source + 4);
  EXPECT_EQ(d.packet.label, 0u);
  EXPECT_EQ(d.packet.held_packets, 0u);
  EXPECT_EQ(d.packet.tunnel, nullptr);
}

TEST(DecodePlain, NotWithFlagsThatChangeAConnectionOrAreOdd) {
  for (unsigned flags = 0; flags < 256; ++flags) {
    const bool usual =
        (flags & 0x3f) != 0 && (flags & (tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst)) == 0;
    const TcpFields fields{.flags = static_cast<uint8_t>(flags)};
    EXPECT_EQ(IsPlain(Ipv4Frame().Tcp(1, 2, fields)), usual) << flags;
  }
}

TEST(DecodePlain, NotOtherProtocolsAndVersions) {
  EXPECT_FALSE(IsPlain(Ipv4Frame().Udp(1, 2).Payload(20)));
  EXPECT_FALSE(IsPlain(Ipv4Frame().Icmp(8, 0).Payload(20)));
  EXPECT_FALSE(
      IsPlain(PacketBuilder().Ethernet().Ipv6("2001:db8::1", "2001:db8::2").Tcp(1, 2, kData)));
}

TEST(DecodePlain, NotWithTagsLabelsTunnelsOptionsAndFragments) {
  const auto ipv4 = [](PacketBuilder& builder) {
    return builder.Ipv4("10.0.0.1", "10.0.0.2").Tcp(1, 2, kData).Payload(20);
  };
  PacketBuilder tagged, labelled, session;
  EXPECT_FALSE(IsPlain(ipv4(tagged.Ethernet().Vlan(5))));
  EXPECT_FALSE(IsPlain(ipv4(labelled.Ethernet().Mpls(77))));
  EXPECT_FALSE(IsPlain(ipv4(session.Ethernet().Pppoe(3))));
  PacketBuilder gre = Ipv4Frame().Gre(), ipip = Ipv4Frame();
  EXPECT_FALSE(IsPlain(ipv4(gre)));
  EXPECT_FALSE(IsPlain(ipv4(ipip)));
  EXPECT_FALSE(IsPlain(Ipv4Frame().Ipv4Options({1, 1, 1, 1}).Tcp(1, 2, kData)));
  EXPECT_FALSE(IsPlain(Ipv4Frame().Ipv4Fragment(9, 0, true, ip_protocol::kTcp).Payload(64)));
  EXPECT_FALSE(IsPlain(Ipv4Frame().Ipv4Fragment(9, 64, false, ip_protocol::kTcp).Payload(64)));
}

TEST(DecodePlain, NotWithATagThatTheKernelTookOut) {
  const Bytes bytes = Ipv4Frame().Tcp(1, 2, kData).Payload(20).Build();
  Frame frame;
  frame.captured_length = static_cast<uint32_t>(bytes.size());
  frame.wire_length = frame.captured_length + 4;
  frame.vlan_tpid = 0x8100;
  EXPECT_FALSE(IsPlainSegment(DecodeFrame(bytes, frame).packet));
}

TEST(DecodePlain, NotWithAWrongHeaderChecksum) {
  Bytes bytes = Ipv4Frame().Tcp(1, 2, kData).Payload(20).Build();
  ASSERT_TRUE(IsPlainSegment(DecodeFrame(bytes).packet));
  bytes[14 + 10] ^= 1;
  const Decoded d = DecodeFrame(bytes);
  EXPECT_FALSE(IsPlainSegment(d.packet));
  EXPECT_TRUE(d.Is(Anomaly::kIpv4HeaderChecksum));
}

TEST(DecodePlain, NotWhenCutShort) {
  Bytes bytes = Ipv4Frame().Tcp(1, 2, kData).Payload(200).Build();
  bytes.resize(bytes.size() - 1);
  EXPECT_FALSE(IsPlainSegment(DecodeFrame(bytes).packet));
}

// Packets are used again: nothing of a plain one is left in the next.
TEST(DecodePlain, TheNextPacketInItsPlaceIsNot) {
  const Bytes plain = Ipv4Frame().Tcp(1, 2, kData).Payload(20).Build();
  const Bytes next[] = {
      PacketBuilder().Ethernet().Ipv6("2001:db8::1", "2001:db8::2").Tcp(1, 2, kData).Build(),
      Ipv4Frame().Udp(1, 2).Payload(30).Build(), Ipv4Frame().Icmp(8, 0).Payload(30).Build(),
      PacketBuilder().Ethernet().Mpls(4).Ipv4("1.1.1.1", "2.2.2.2").Tcp(1, 2, kData).Build(),
      Bytes(60, 0xff)};
  for (const Bytes& bytes : next) {
    Packet packet;
    TunnelPath path;
    for (const Bytes* one : {&plain, &bytes}) {
      Frame frame;
      frame.data = one->data();
      frame.captured_length = frame.wire_length = static_cast<uint32_t>(one->size());
      Decoder().Decode(frame, packet, path);
      EXPECT_EQ(IsPlainSegment(packet), one == &plain);
    }
  }
}

uint8_t PlainOf(const PacketBuilder& builder) { return DecodeFrame(builder).packet.plain; }
bool UsualOf(const PacketBuilder& builder) { return IsUsual(ShapeOf(DecodeFrame(builder).packet)); }

PacketBuilder Ipv6Frame() { return PacketBuilder().Ethernet().Ipv6("2001:db8::1", "2001:db8::2"); }

TEST(DecodePlain, StraightWhateverTheFlagsSay) {
  constexpr uint8_t kBoth = plain_bit::kStraight | plain_bit::kUsual;
  EXPECT_EQ(PlainOf(Ipv4Frame().Tcp(1, 2, kData)), kBoth);
  EXPECT_EQ(PlainOf(Ipv4Frame().Udp(1, 2).Payload(20)), kBoth);
  for (const uint8_t flags : {tcp_flag::kSyn, tcp_flag::kFin, tcp_flag::kRst, uint8_t{0}}) {
    EXPECT_EQ(PlainOf(Ipv4Frame().Tcp(1, 2, {.flags = flags})), plain_bit::kStraight);
  }
}

TEST(DecodePlain, UsualOverIpv6AndInTunnels) {
  const auto segment = [](PacketBuilder builder) { return builder.Tcp(1, 2, kData).Payload(9); };
  const auto datagram = [](PacketBuilder builder) { return builder.Udp(1, 2).Payload(9); };
  EXPECT_EQ(PlainOf(segment(Ipv6Frame())), plain_bit::kUsual);
  EXPECT_EQ(PlainOf(datagram(Ipv6Frame())), plain_bit::kUsual);
  EXPECT_EQ(PlainOf(segment(PacketBuilder().Ethernet().Vlan(5).Ipv4("1.1.1.1", "2.2.2.2"))),
            plain_bit::kUsual);
  const PacketBuilder gre = Ipv4Frame().Gre().Ipv4("1.1.1.1", "2.2.2.2");
  EXPECT_TRUE(UsualOf(segment(gre)));
  EXPECT_TRUE(UsualOf(datagram(gre)));
  EXPECT_TRUE(UsualOf(segment(Ipv4Frame().Ipv4Options({1, 1, 1, 1}))));
}

TEST(DecodePlain, UsualNotWithControlFlagsLabelsFragmentsAndOtherProtocols) {
  for (const uint8_t flags : {tcp_flag::kSyn, tcp_flag::kFin, tcp_flag::kRst, uint8_t{0}}) {
    EXPECT_FALSE(UsualOf(Ipv4Frame().Tcp(1, 2, {.flags = flags})));
    EXPECT_FALSE(UsualOf(Ipv6Frame().Tcp(1, 2, {.flags = flags})));
    EXPECT_FALSE(UsualOf(Ipv4Frame().Gre().Ipv4("1.1.1.1", "2.2.2.2").Tcp(1, 2, {.flags = flags})));
  }
  EXPECT_FALSE(
      UsualOf(PacketBuilder().Ethernet().Mpls(7).Ipv4("1.1.1.1", "2.2.2.2").Udp(1, 2).Payload(9)));
  EXPECT_FALSE(UsualOf(Ipv4Frame().Icmp(8, 0).Payload(20)));
  EXPECT_FALSE(UsualOf(Ipv4Frame().Ipv4Fragment(9, 0, true, ip_protocol::kUdp).Payload(64)));
}

TEST(DecodePlain, UsualNotWhenCutShort) {
  for (const bool tcp : {true, false}) {
    PacketBuilder builder = Ipv4Frame();
    Bytes bytes = (tcp ? builder.Tcp(1, 2, kData) : builder.Udp(1, 2)).Payload(200).Build();
    bytes.resize(bytes.size() - 1);
    EXPECT_FALSE(IsUsual(ShapeOf(DecodeFrame(bytes).packet)));
  }
}

// A datagram's first fragment may be of UDP, and all of it a tunnel.
TEST(DecodePlain, ADatagramFromFragmentsIsNotUsual) {
  const Bytes bytes = Ipv4Frame().Udp(1, 2).Payload(40).Build();
  Packet packet = DecodeFrame(bytes).packet;
  packet.flags |= packet_flag::kDefragmented;
  EXPECT_FALSE(IsUsual(ShapeOf(packet)));
}

}  // namespace
}  // namespace weir::test

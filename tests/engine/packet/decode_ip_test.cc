// IPv4, IPv6 and what they carry.
#include "tests/engine/packet/decoding.h"

namespace weir::test {
namespace {

PacketBuilder Ipv4Frame() { return PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2"); }
PacketBuilder Ipv6Frame() { return PacketBuilder().Ethernet().Ipv6("2001:db8::1", "2001:db8::2"); }

TEST(DecodeIp, TcpOverIpv4) {
  const TcpFields fields{.seq = 0x01020304, .ack = 0x05060708, .flags = 0x18, .window = 0x1234};
  const Decoded d = DecodeFrame(Ipv4Frame().Tcp(40000, 80, fields).Payload("hello"));
  EXPECT_EQ(VerdictOf(d.packet), "tracked");
  EXPECT_EQ(d.source(), "10.0.0.1");
  EXPECT_EQ(d.destination(), "10.0.0.2");
  EXPECT_EQ(d.packet.family, AddressFamily::kIpv4);
  EXPECT_EQ(d.packet.protocol, ip_protocol::kTcp);
  EXPECT_EQ(d.packet.source_port, 40000);
  EXPECT_EQ(d.packet.destination_port, 80);
  EXPECT_EQ(d.packet.flags, packet_flag::kTcpFields);
  EXPECT_EQ(d.packet.tcp_seq, 0x01020304u);
  EXPECT_EQ(d.packet.tcp_ack, 0x05060708u);
  EXPECT_EQ(d.packet.tcp_window, 0x1234);
  EXPECT_EQ(d.packet.tcp_flags, 0x18);
  EXPECT_EQ(d.payload(), "hello");
  EXPECT_EQ(d.packet.payload_wire_length, 5u);
  EXPECT_EQ(d.packet.anomalies, 0);
  EXPECT_EQ(d.packet.ip_offset, 14u);
  EXPECT_EQ(d.packet.transport_offset, 34u);
  EXPECT_EQ(d.packet.tunnel, nullptr);
}

TEST(DecodeIp, TcpOverIpv6) {
  const Decoded d = DecodeFrame(Ipv6Frame().Tcp(40000, 80).Payload("hello"));
  EXPECT_EQ(VerdictOf(d.packet), "tracked");
  EXPECT_EQ(d.source(), "2001:db8::1");
  EXPECT_EQ(d.destination(), "2001:db8::2");
  EXPECT_EQ(d.packet.family, AddressFamily::kIpv6);
  EXPECT_EQ(d.packet.destination_port, 80);
  EXPECT_EQ(d.payload(), "hello");
}

TEST(DecodeIp, PaddingBehindTheDatagramIsNoPayload) {
  const Decoded udp = DecodeFrame(Ipv4Frame().Udp(5, 6).Payload("abc").Padding(15));
  EXPECT_EQ(udp.payload(), "abc");
  EXPECT_EQ(udp.packet.payload_wire_length, 3u);
  const Decoded tcp = DecodeFrame(Ipv4Frame().Tcp(5, 6).Padding(6));
  EXPECT_EQ(tcp.payload(), "");
  EXPECT_EQ(tcp.packet.payload_wire_length, 0u);
}

TEST(DecodeIp, OptionsOfIpv4AndTcpAreSkipped) {
  const Decoded d = DecodeFrame(Ipv4Frame()
                                    .Ipv4Options({0x94, 4, 0, 0, 1})
                                    .Tcp(7, 8, {.options = {2, 4, 5, 180, 1}})
                                    .Payload("x"));
  EXPECT_EQ(d.packet.transport_offset, 14u + 28);
  EXPECT_EQ(d.packet.source_port, 7);
  EXPECT_EQ(d.payload(), "x");
  EXPECT_EQ(d.packet.anomalies, 0);
}

TEST(DecodeIp, ExtensionHeadersAreWalked) {
  const Decoded d = DecodeFrame(Ipv6Frame()
                                    .HopByHop(16)
                                    .Routing()
                                    .DestinationOptions(8)
                                    .Authentication(24)
                                    .Udp(1000, 2000)
                                    .Payload("deep"));
  EXPECT_EQ(VerdictOf(d.packet), "tracked");
  EXPECT_EQ(d.packet.protocol, ip_protocol::kUdp);
  EXPECT_EQ(d.packet.source_port, 1000);
  EXPECT_EQ(d.payload(), "deep");
  EXPECT_EQ(d.packet.transport_offset, 14u + 40 + 16 + 24 + 8 + 24);
}

TEST(DecodeIp, ALaterFragmentHasNoPorts) {
  const Decoded d = DecodeFrame(Ipv4Frame().Ipv4Fragment(77, 1480, true).Payload(64));
  EXPECT_EQ(VerdictOf(d.packet), "fragment_held");
  EXPECT_EQ(d.packet.source_port, 0);
  EXPECT_EQ(d.packet.destination_port, 0);
  EXPECT_EQ(d.packet.protocol, ip_protocol::kUdp);
  EXPECT_EQ(d.packet.fragment_id, 77u);
  EXPECT_EQ(d.packet.fragment_offset, 1480u);
  EXPECT_EQ(d.packet.flags, packet_flag::kFragment | packet_flag::kMoreFragments);
  EXPECT_EQ(d.packet.payload_length, 64u);
}

TEST(DecodeIp, EchoRequestAndReplyPair) {
  const Decoded request = DecodeFrame(Ipv4Frame().Icmp(8, 0, 0x1234, 1).Payload("ping"));
  const Decoded reply = DecodeFrame(Ipv4Frame().Icmp(0, 0, 0x1234, 1).Payload("ping"));
  for (const Decoded* d : {&request, &reply}) {
    EXPECT_EQ(VerdictOf(d->packet), "tracked");
    EXPECT_EQ(d->packet.source_port, 0x1234);
    EXPECT_EQ(d->packet.destination_port, 0x1234);
    EXPECT_EQ(d->payload(), "ping");
  }
  EXPECT_EQ(request.packet.icmp_type, 8);
}

TEST(DecodeIp, ARightHeaderThatIsTruncatedInTheCaptureStillHasPorts) {
  const Bytes bytes = Ipv4Frame().Tcp(1, 2).Payload(1000).Build();
  Frame frame = AsFrame(bytes);
  frame.captured_length = 14 + 20 + 4;
  const Decoded d = DecodeFrame(bytes, frame);
  EXPECT_EQ(VerdictOf(d.packet), "tracked");
  EXPECT_EQ(d.packet.destination_port, 2);
  EXPECT_EQ(d.packet.flags, packet_flag::kTruncated);
  EXPECT_TRUE(d.Is(Anomaly::kTcpHeaderTruncated));
}

TEST(DecodeIp, OneVlanTagIsTheIdentity) {
  const Decoded d =
      DecodeFrame(PacketBuilder().Ethernet().Vlan(258).Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2));
  EXPECT_EQ(d.packet.vlan_count, 1);
  EXPECT_EQ(d.packet.vlan[0], 258);
  EXPECT_EQ(d.identity(), std::string("\x01\x01\x02"));
}

}  // namespace
}  // namespace weir::test

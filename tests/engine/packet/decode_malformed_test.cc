// Every reason for which a frame has no flow, and faults behind the ports.
#include "tests/engine/packet/decoding.h"
#include "tests/engine/packet/sample_frames.h"

namespace weir::test {
namespace {

constexpr size_t kIp = 14;

PacketBuilder Ipv4Frame() { return PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2"); }
PacketBuilder Ipv6Frame() { return PacketBuilder().Ethernet().Ipv6("2001:db8::1", "2001:db8::2"); }

Bytes Broken(const PacketBuilder& builder, size_t at, uint8_t value) {
  Bytes bytes = builder.Build();
  bytes.at(at) = value;
  return bytes;
}

Bytes Cut(const PacketBuilder& builder, size_t size) {
  Bytes bytes = builder.Build();
  bytes.resize(size);
  return bytes;
}

std::string VerdictOn(const Bytes& bytes) { return VerdictOf(DecodeFrame(bytes).packet); }

TEST(DecodeMalformed, LinkTruncated) {
  EXPECT_EQ(VerdictOn(Bytes(13)), "malformed link_truncated");
  EXPECT_EQ(VerdictOn(Bytes()), "malformed link_truncated");
  EXPECT_EQ(VerdictOn(Cut(Inside(PacketBuilder().Ethernet().Vlan(1)), 17)),
            "malformed link_truncated");
  EXPECT_EQ(VerdictOn(Cut(Inside(PacketBuilder().Ethernet().Mpls(1)), 17)),
            "malformed link_truncated");
}

TEST(DecodeMalformed, IpTruncated) {
  EXPECT_EQ(VerdictOn(Cut(Ipv4Frame().Udp(1, 2), kIp + 19)), "malformed ip_truncated");
  EXPECT_EQ(VerdictOn(Cut(Ipv6Frame().Udp(1, 2), kIp + 39)), "malformed ip_truncated");
  EXPECT_EQ(VerdictOn(Cut(Ipv6Frame().HopByHop(16).Udp(1, 2), kIp + 40 + 15)),
            "malformed ip_truncated");
}

TEST(DecodeMalformed, IpVersion) {
  EXPECT_EQ(VerdictOn(Broken(Ipv4Frame().Udp(1, 2), kIp, 0x55)), "malformed ip_version");
  EXPECT_EQ(VerdictOn(Broken(Ipv6Frame().Udp(1, 2), kIp, 0x40)), "malformed ip_version");
}

TEST(DecodeMalformed, IpHeaderLength) {
  EXPECT_EQ(VerdictOn(Broken(Ipv4Frame().Udp(1, 2), kIp, 0x44)), "malformed ip_header_length");
  EXPECT_EQ(VerdictOn(Broken(Ipv4Frame().Udp(1, 2), kIp, 0x4f)), "malformed ip_header_length");
}

TEST(DecodeMalformed, IpTotalLength) {
  EXPECT_EQ(VerdictOn(Broken(Ipv4Frame().Udp(1, 2), kIp + 3, 19)), "malformed ip_total_length");
}

TEST(DecodeMalformed, TransportTruncated) {
  EXPECT_EQ(VerdictOn(Cut(Ipv4Frame().Udp(1, 2), kIp + 23)), "malformed transport_truncated");
  EXPECT_EQ(VerdictOn(Cut(Ipv4Frame().Icmp(8, 0), kIp + 25)), "malformed transport_truncated");
}

TEST(DecodeMalformed, ExtensionHeaders) {
  PacketBuilder builder = Ipv6Frame();
  for (int i = 0; i < 40; ++i) builder.DestinationOptions();
  EXPECT_EQ(VerdictOn(builder.Udp(1, 2).Build()), "malformed extension_headers");
}

TEST(DecodeMalformed, LinkHeader) {
  const Bytes radiotap = {0, 0, 7, 0, 0, 0, 0, 0};
  EXPECT_EQ(VerdictOf(DecodeFrame(radiotap, link_type::kRadiotap).packet), "malformed link_header");
}

TEST(DecodeMalformed, AddressesAreNullAndTheFamilyIsNone) {
  const Decoded d = DecodeFrame(Cut(Ipv4Frame().Udp(1, 2), kIp + 21));
  EXPECT_EQ(d.packet.source, nullptr);
  EXPECT_EQ(d.packet.destination, nullptr);
  EXPECT_EQ(d.packet.family, AddressFamily::kNone);
}

TEST(DecodeAnomaly, FaultsBehindThePortsAreCountedAndThePacketStays) {
  const auto expect = [](const Bytes& bytes, Anomaly anomaly) {
    const Decoded d = DecodeFrame(bytes);
    EXPECT_EQ(VerdictOf(d.packet), "tracked") << Name(anomaly);
    EXPECT_EQ(d.packet.anomalies, 1u << static_cast<unsigned>(anomaly)) << Name(anomaly);
  };
  constexpr size_t kTransport = kIp + 20;
  expect(Broken(Ipv4Frame().Tcp(1, 2), kTransport + 12, 0x40), Anomaly::kTcpDataOffset);
  expect(Broken(Ipv4Frame().Tcp(1, 2), kTransport + 12, 0xf0), Anomaly::kTcpDataOffset);
  expect(Broken(Ipv4Frame().Udp(1, 2).Payload(8), kTransport + 5, 99), Anomaly::kUdpLength);
  expect(Broken(Ipv4Frame().Udp(1, 2).Payload(8), kTransport + 5, 7), Anomaly::kUdpLength);
  expect(Broken(Ipv4Frame().Udp(1, 2).Payload(8), kIp + 8, 1), Anomaly::kIpv4HeaderChecksum);
  expect(Ipv4Frame().Tcp(1, 2, {.flags = 0x03}).Build(), Anomaly::kTcpFlags);
  expect(Ipv4Frame().Tcp(1, 2, {.flags = 0x06}).Build(), Anomaly::kTcpFlags);
  expect(Ipv4Frame().Tcp(1, 2, {.flags = 0x00}).Build(), Anomaly::kTcpFlags);
  expect(Cut(Ipv6Frame().Udp(1, 2).Payload(30), kIp + 40 + 20), Anomaly::kIpLengthBeyondFrame);
}

TEST(DecodeAnomaly, ALengthOfZeroIsLeftToTheDevice) {
  Bytes bytes = Ipv4Frame().Tcp(1, 2).Payload(3000).Build();
  bytes[kIp + 2] = bytes[kIp + 3] = 0;
  const Decoded d = DecodeFrame(bytes);
  EXPECT_EQ(VerdictOf(d.packet), "tracked");
  EXPECT_EQ(d.packet.payload_length, 3000u);
}

TEST(DecodeAnomaly, AJumboPayloadOptionGivesTheLength) {
  Bytes bytes =
      Ipv6Frame().Raw({6, 0, 0xc2, 4, 0, 1, 0x38, 0x9c}, 0).Tcp(1, 2).Payload(80'000).Build();
  bytes[kIp + 4] = bytes[kIp + 5] = 0;  // 80,028 bytes: option and TCP header included
  const Decoded d = DecodeFrame(bytes);
  EXPECT_EQ(VerdictOf(d.packet), "tracked");
  EXPECT_EQ(d.packet.payload_length, 80'000u);
  EXPECT_EQ(d.packet.anomalies, 0);
}

TEST(DecodeAnomaly, TheUdpLengthCutsThePayload) {
  const Decoded d = DecodeFrame(Broken(Ipv4Frame().Udp(1, 2).Payload(8), kIp + 20 + 5, 8 + 3));
  EXPECT_EQ(d.packet.payload_length, 3u);
}

TEST(DecodeIcmp, AnErrorShowsThePacketItIsAbout) {
  const Bytes quoted = Inside(PacketBuilder()).Build();
  const Decoded d =
      DecodeFrame(Ipv4Frame().Icmp(3, 1).Raw(Bytes(quoted.begin(), quoted.begin() + 28), 0));
  EXPECT_EQ(d.packet.flags & packet_flag::kIcmpError, packet_flag::kIcmpError);
  EXPECT_EQ(d.packet.source_port, 3 << 8 | 1);
  Packet about;
  TunnelPath path;
  path.Clear();
  Decoder().DecodeIp(d.packet.payload, d.packet.payload_length, about, path);
  EXPECT_EQ(about.verdict, Verdict::kTracked);
  EXPECT_EQ(about.source_port, 1000);
  EXPECT_EQ(about.destination_port, 2000);
}

TEST(DecodeIcmp, Icmpv6EchoPairs) {
  const Decoded request = DecodeFrame(Ipv6Frame().Icmpv6(128, 0, 9)),
                reply = DecodeFrame(Ipv6Frame().Icmpv6(129, 0, 9));
  EXPECT_EQ(request.packet.source_port, 9);
  EXPECT_EQ(reply.packet.destination_port, 9);
  const Decoded neighbour = DecodeFrame(Ipv6Frame().Icmpv6(135, 0, 9));
  EXPECT_EQ(neighbour.packet.source_port, 135 << 8);
}

TEST(DecodeFragments, AnAtomicFragmentIsAWholePacket) {
  const Decoded d = DecodeFrame(Ipv6Frame().Fragment(7, 0, false).Udp(1, 2));
  EXPECT_EQ(VerdictOf(d.packet), "tracked");
  EXPECT_EQ(d.packet.destination_port, 2);
}

TEST(DecodeFragments, AFirstFragmentOfATunnelIsNotFollowed) {
  const Decoded d = DecodeFrame(Inside(PacketBuilder()
                                           .Ethernet()
                                           .Ipv4("192.0.2.1", "192.0.2.2")
                                           .Ipv4Fragment(1, 0, true, 47)
                                           .Gre()));
  EXPECT_EQ(VerdictOf(d.packet), "fragment_held");
  EXPECT_EQ(d.source(), "192.0.2.1");
  EXPECT_EQ(d.packet.tunnel, nullptr);
}

TEST(DecodeFragments, AVlansFragmentsKeepTheVlan) {
  const Decoded d = DecodeFrame(PacketBuilder()
                                    .Ethernet()
                                    .Vlan(9)
                                    .Ipv4("10.0.0.1", "10.0.0.2")
                                    .Ipv4Fragment(1, 8, true)
                                    .Payload(8));
  EXPECT_EQ(VerdictOf(d.packet), "fragment_held");
  EXPECT_EQ(d.packet.source_port, 0);
  EXPECT_EQ(d.identity(), std::string("\x01\x00\x09", 3));
}

}  // namespace
}  // namespace weir::test

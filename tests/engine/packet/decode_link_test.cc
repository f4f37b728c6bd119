// Every link type leads to the same packet.
#include "tests/engine/packet/decoding.h"
#include "tests/engine/packet/sample_frames.h"

namespace weir::test {
namespace {

void ExpectInside(const Decoded& d) {
  EXPECT_EQ(VerdictOf(d.packet), "tracked");
  EXPECT_EQ(d.source(), "10.0.0.1");
  EXPECT_EQ(d.destination(), "10.0.0.2");
  EXPECT_EQ(d.packet.protocol, ip_protocol::kUdp);
  EXPECT_EQ(d.packet.source_port, 1000);
  EXPECT_EQ(d.packet.destination_port, 2000);
  EXPECT_EQ(d.payload(), "inside");
  EXPECT_EQ(d.packet.payload_wire_length, 6u);
  EXPECT_EQ(d.packet.anomalies, 0);
  ASSERT_LT(d.packet.ip_offset + 20, d.bytes.size());
  EXPECT_EQ(d.bytes[d.packet.ip_offset], 0x45);
  EXPECT_EQ(d.bytes[d.packet.ip_offset + 12], 10);
}

class Links : public testing::TestWithParam<SampleFrame> {};
TEST_P(Links, LeadToTheSamePacket) {
  ExpectInside(DecodeFrame(GetParam().bytes, GetParam().link_type));
}
INSTANTIATE_TEST_SUITE_P(Decode, Links, testing::ValuesIn(SampleLinks()), NameOfSample);

class Tunnels : public testing::TestWithParam<SampleFrame> {};
TEST_P(Tunnels, LeadToTheSamePacket) {
  const Decoded d = DecodeFrame(GetParam().bytes, GetParam().link_type);
  ExpectInside(d);
  ASSERT_NE(d.packet.tunnel, nullptr);
  EXPECT_GT(d.packet.tunnel->length, 0);
}
TEST_P(Tunnels, AreNotFollowedUnasked) {
  const Decoded d = DecodeFrame(GetParam().bytes, GetParam().link_type, {.decapsulate = false});
  EXPECT_EQ(VerdictOf(d.packet), "tracked");
  EXPECT_NE(d.source(), "10.0.0.1");
  EXPECT_EQ(d.packet.tunnel, nullptr);
}
INSTANTIATE_TEST_SUITE_P(Decode, Tunnels, testing::ValuesIn(SampleTunnels()), NameOfSample);

TEST(DecodeLink, RawIpv6HasALinkTypeOfItsOwn) {
  const Decoded d = DecodeFrame(Inside6(PacketBuilder()), link_type::kIpv6);
  EXPECT_EQ(d.source(), "2001:db8::1");
  EXPECT_EQ(d.payload(), "inside");
}

TEST(DecodeLink, NullKnowsTheIpv6FamiliesOfTheBsds) {
  for (uint8_t family : {24, 28, 30}) {
    const Decoded d =
        DecodeFrame(Inside6(PacketBuilder().Raw({family, 0, 0, 0}, 0)), link_type::kNull);
    EXPECT_EQ(d.source(), "2001:db8::1") << int{family};
  }
}

TEST(DecodeLink, TheStrippedTagStandsFirst) {
  const Bytes bytes = Inside(PacketBuilder().Ethernet().Vlan(20)).Build();
  Frame frame = AsFrame(bytes);
  frame.vlan_tpid = 0x88a8;
  frame.vlan_tci = 0xa000 | 10;
  frame.wire_length += 4;
  const Decoded d = DecodeFrame(bytes, frame);
  EXPECT_EQ(d.packet.vlan_count, 2);
  EXPECT_EQ(d.packet.vlan[0], 10);
  EXPECT_EQ(d.packet.vlan[1], 20);
  EXPECT_EQ(d.identity(),
            DecodeFrame(Inside(PacketBuilder().Ethernet().Vlan(10, 0x88a8).Vlan(20))).identity());
}

TEST(DecodeLink, AStrippedTagAloneIsTheSameAsOneInTheBytes) {
  const Bytes bytes = Inside(PacketBuilder().Ethernet()).Build();
  Frame frame = AsFrame(bytes);
  frame.vlan_tpid = 0x8100;
  frame.vlan_tci = 20;
  const Decoded stripped = DecodeFrame(bytes, frame);
  EXPECT_EQ(stripped.packet.vlan_count, 1);
  EXPECT_EQ(stripped.identity(),
            DecodeFrame(Inside(PacketBuilder().Ethernet().Vlan(20))).identity());
  EXPECT_FALSE(stripped.identity().empty());
}

TEST(DecodeLink, VlansAreKeptApartUnlessAskedOtherwise) {
  const auto frame = [](uint16_t id) { return Inside(PacketBuilder().Ethernet().Vlan(id)); };
  EXPECT_NE(DecodeFrame(frame(1)).identity(), DecodeFrame(frame(2)).identity());
  const DecoderOptions without{.key_parts = key_part::kAll & ~key_part::kVlan};
  const Decoded d = DecodeFrame(frame(1), link_type::kEthernet, without);
  EXPECT_EQ(d.packet.tunnel, nullptr);
  EXPECT_EQ(d.packet.vlan[0], 1);
}

TEST(DecodeLink, APriorityTagIsNoVlan) {
  const Decoded d = DecodeFrame(Inside(PacketBuilder().Ethernet().Vlan(0, 0x8100, 5)));
  EXPECT_EQ(d.packet.vlan_count, 1);
  EXPECT_EQ(d.packet.tunnel, nullptr);
}

TEST(DecodeLink, PppoeSessionsAreKeptApart) {
  const auto frame = [](uint16_t id) { return Inside(PacketBuilder().Ethernet().Pppoe(id)); };
  EXPECT_NE(DecodeFrame(frame(1)).identity(), DecodeFrame(frame(2)).identity());
}

TEST(DecodeLink, AnMplsLabelIsRecordedButNotKeyed) {
  const Decoded d = DecodeFrame(Inside(PacketBuilder().Ethernet().Mpls(0xabcde)));
  EXPECT_EQ(d.packet.label, 0xabcdeu);
  EXPECT_EQ(d.packet.tunnel, nullptr);
}

TEST(DecodeLink, WhatIsNotIpSaysSo) {
  const Bytes arp = PacketBuilder().Ethernet().Raw(Bytes(28), 0x0806).Build();
  EXPECT_EQ(VerdictOf(DecodeFrame(arp).packet), "not_ip");
  Bytes beacon(40);
  beacon[0] = 0x80;
  EXPECT_EQ(VerdictOf(DecodeFrame(beacon, link_type::kIeee80211).packet), "not_ip");
  EXPECT_EQ(VerdictOf(DecodeFrame(Bytes(60), 9999).packet), "not_ip");
}

TEST(DecodeLink, AProtectedWifiFrameIsNotIp) {
  Bytes bytes(24 + 60);
  bytes[0] = 0x08;
  bytes[1] = 0x41;
  EXPECT_EQ(VerdictOf(DecodeFrame(bytes, link_type::kIeee80211).packet), "not_ip");
}

TEST(DecodeLink, MacPairsPointAtTheAddressesWhateverTheFrameHolds) {
  const DecoderOptions options{.mac_addresses = true};
  const Bytes arp = PacketBuilder().Ethernet().Raw(Bytes(28), 0x0806).Build();
  const Decoded not_ip = DecodeFrame(arp, link_type::kEthernet, options);
  EXPECT_EQ(VerdictOf(not_ip.packet), "not_ip");
  EXPECT_EQ(not_ip.packet.family, AddressFamily::kMac);
  EXPECT_EQ(not_ip.source(), std::string("\x02\0\0\0\0\x01", 6));
  EXPECT_EQ(not_ip.destination(), std::string("\x02\0\0\0\0\x02", 6));
  const Decoded ip =
      DecodeFrame(Inside(PacketBuilder().Ethernet().Vlan(3).Ipv4("1.1.1.1", "2.2.2.2").GreKey(4)),
                  link_type::kEthernet, options);
  EXPECT_EQ(VerdictOf(ip.packet), "tracked");
  EXPECT_EQ(ip.packet.family, AddressFamily::kMac);
  EXPECT_EQ(ip.source(), not_ip.source());
  EXPECT_EQ(ip.identity(), std::string("\x01\x00\x03", 3));
}

}  // namespace
}  // namespace weir::test

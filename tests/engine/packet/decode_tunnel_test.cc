// Tunnels: their two directions are one flow, and what cannot be read inside counts outside.
#include <ostream>

#include "tests/engine/packet/decoding.h"
#include "tests/engine/packet/sample_frames.h"
#include "tests/support/flow_feeder.h"

namespace weir::test {
namespace {

// A tunnel between two gateways, with the identifier that the sender of this direction uses.
struct TwoWays {
  const char* name;
  PacketBuilder (*tunnel)(PacketBuilder outer, uint32_t id, bool reply);
  bool keyed;  // the identifier is part of the identity
};

Decoded Direction(const TwoWays& ways, uint32_t id, bool reply) {
  PacketBuilder outer = PacketBuilder().Ethernet();
  reply ? outer.Ipv4("192.0.2.2", "192.0.2.1") : outer.Ipv4("192.0.2.1", "192.0.2.2");
  PacketBuilder builder = ways.tunnel(outer, id, reply);
  reply ? builder.Ipv4("10.0.0.2", "10.0.0.1").Tcp(80, 4000)
        : builder.Ipv4("10.0.0.1", "10.0.0.2").Tcp(4000, 80);
  return DecodeFrame(builder);
}

void PrintTo(const TwoWays& ways, std::ostream* out) { *out << ways.name; }

uint16_t Low(uint32_t id) { return static_cast<uint16_t>(id); }
uint8_t Byte(uint32_t id) { return static_cast<uint8_t>(id); }

const TwoWays kTunnels[] = {
    {"vxlan",
     [](PacketBuilder b, uint32_t id, bool) { return b.Udp(51'000, 4789).Vxlan(id).Ethernet(); },
     true},
    {"geneve",
     [](PacketBuilder b, uint32_t id, bool) { return b.Udp(51'000, 6081).Geneve(id).Ethernet(); },
     false},
    {"gtp-u", [](PacketBuilder b, uint32_t id, bool) { return b.Udp(2152, 2152).GtpU(id); }, false},
    {"gre", [](PacketBuilder b, uint32_t id, bool) { return b.GreKey(id); }, true},
    {"pptp",
     [](PacketBuilder b, uint32_t id, bool) {
       return b.Raw({0x20, 1, 0x88, 0x0b, 0, 42, 0, Byte(id)}, 47).Ppp();
     },
     false},
    {"erspan",
     [](PacketBuilder b, uint32_t id, bool) {
       return b.Raw({0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0, Byte(id), 0, 0, 0, 0}, 47)
           .Ethernet();
     },
     false},
    {"mpls", [](PacketBuilder b, uint32_t id, bool) { return b.Mpls(id); }, false},
    {"mpls over udp",
     [](PacketBuilder b, uint32_t id, bool) { return b.Udp(51'000, 6635).Mpls(id); }, false},
    {"l2tp",
     [](PacketBuilder b, uint32_t id, bool) {
       return b.Udp(1701, 1701).Raw({0, 2, 0, Byte(id), 0, Byte(id)}, 0).Ppp(true);
     },
     false},
    {"ip in ip", [](PacketBuilder b, uint32_t, bool) { return b; }, false},
    {"vlan inside vxlan",
     [](PacketBuilder b, uint32_t id, bool) {
       return b.Udp(51'000, 4789).Vxlan(1).Ethernet().Vlan(Low(id));
     },
     true},
};

class BothWays : public testing::TestWithParam<TwoWays> {};

TEST_P(BothWays, AreOneIdentity) {
  const Decoded there = Direction(GetParam(), 7, false), back = Direction(GetParam(), 7, true);
  EXPECT_EQ(VerdictOf(there.packet), "tracked");
  EXPECT_EQ(there.source(), back.destination());
  EXPECT_EQ(there.packet.source_port, back.packet.destination_port);
  EXPECT_FALSE(there.identity().empty());
  EXPECT_EQ(there.identity(), back.identity());
}

TEST_P(BothWays, StayOneWhereTheIdentifierDiffersUnlessItIsKeyed) {
  const Decoded there = Direction(GetParam(), 7, false), back = Direction(GetParam(), 9, true);
  EXPECT_EQ(there.identity() == back.identity(), !GetParam().keyed);
  if (GetParam().keyed || std::string(GetParam().name) == "ip in ip") return;
  EXPECT_EQ(there.packet.label, 7u);
  EXPECT_EQ(back.packet.label, 9u);
}

TEST_P(BothWays, AreOneFlowWithALabelForEachDirection) {
  const bool keyed = GetParam().keyed;
  const uint32_t back_id = keyed ? 7 : 9;  // differs wherever it may
  const Decoded there = Direction(GetParam(), 7, false),
                back = Direction(GetParam(), back_id, true);
  FlowFeeder feeder;
  EXPECT_EQ(feeder.Track(there.packet), Verdict::kTracked);
  EXPECT_EQ(feeder.Track(back.packet), Verdict::kTracked);
  feeder.Flush();
  ASSERT_EQ(feeder.Ended().size(), 1u);
  const FlowRecord flow = feeder.Ended()[0];
  EXPECT_EQ(flow.packets, (std::array<uint64_t, 2>{1, 1}));
  EXPECT_GT(flow.tunnel.length, 0);
  if (keyed || std::string(GetParam().name) == "ip in ip") return;
  EXPECT_EQ(flow.label, (std::array<uint32_t, 2>{7, 9}));
}

std::string NameOfTunnel(const testing::TestParamInfo<TwoWays>& tunnel) {
  return NameOfSample({SampleFrame{tunnel.param.name, 0, {}}, tunnel.index});
}
INSTANTIATE_TEST_SUITE_P(DecodeTunnel, BothWays, testing::ValuesIn(kTunnels), NameOfTunnel);

TEST(DecodeTunnel, EqualAddressesBehindOtherGatewaysAreAnotherFlow) {
  const auto frame = [](const char* gateway) {
    return Inside(PacketBuilder().Ethernet().Ipv4("192.0.2.1", gateway));
  };
  EXPECT_NE(DecodeFrame(frame("192.0.2.2")).identity(), DecodeFrame(frame("192.0.2.3")).identity());
}

TEST(DecodeTunnel, PartsOfTheIdentityCanBeLeftOut) {
  const Bytes bytes = Inside(PacketBuilder()
                                 .Ethernet()
                                 .Ipv4("192.0.2.1", "192.0.2.2")
                                 .Udp(51'000, 4789)
                                 .Vxlan(5)
                                 .Ethernet())
                          .Build();
  const DecoderOptions options{.key_parts = key_part::kAll & ~(key_part::kOuter | key_part::kVni)};
  EXPECT_EQ(DecodeFrame(bytes, link_type::kEthernet, options).identity(), "");
}

TEST(DecodeTunnel, TheFlowHashInAnNvgreKeyIsNotKeyed) {
  const auto frame = [](uint32_t key) {
    return Inside(PacketBuilder().Ethernet().Ipv4("192.0.2.1", "192.0.2.2").GreKey(key).Ethernet());
  };
  EXPECT_EQ(DecodeFrame(frame(0x00500001)).identity(), DecodeFrame(frame(0x00500002)).identity());
  EXPECT_NE(DecodeFrame(frame(1)).identity(), DecodeFrame(frame(2)).identity());
}

TEST(DecodeTunnel, TeredoAnd6in4LeadToIpv6) {
  for (const SampleFrame& sample : AllSamples()) {
    if (sample.name != "6in4" && sample.name.rfind("teredo", 0) != 0) continue;
    const Decoded d = DecodeFrame(sample.bytes);
    EXPECT_EQ(d.source(), "2001:db8::1") << sample.name;
    EXPECT_EQ(d.payload(), "inside") << sample.name;
  }
}

TEST(DecodeTunnel, APingInsideUdpCountsInTheUdpConversation) {
  const Bytes bytes = PacketBuilder()
                          .Ethernet()
                          .Ipv4("192.0.2.1", "192.0.2.2")
                          .Udp(51'000, 4789)
                          .Vxlan(5)
                          .Ethernet()
                          .Ipv4("10.0.0.1", "10.0.0.2")
                          .Icmp(8, 0, 7)
                          .Build();
  const Decoded outer = DecodeFrame(bytes);
  EXPECT_EQ(outer.source(), "192.0.2.1");
  EXPECT_EQ(outer.packet.destination_port, 4789);
  EXPECT_EQ(outer.packet.tunnel, nullptr);
  const Decoded inner = DecodeFrame(bytes, link_type::kEthernet, {.prefer_ports = false});
  EXPECT_EQ(inner.source(), "10.0.0.1");
  EXPECT_EQ(inner.packet.source_port, 7);
}

TEST(DecodeTunnel, APingInsideGreIsItsOwnFlow) {
  const Decoded d = DecodeFrame(PacketBuilder()
                                    .Ethernet()
                                    .Ipv4("192.0.2.1", "192.0.2.2")
                                    .Gre()
                                    .Ipv4("10.0.0.1", "10.0.0.2")
                                    .Icmp(8, 0, 7));
  EXPECT_EQ(d.source(), "10.0.0.1");
}

TEST(DecodeTunnel, WhatIsNotIpInsideCountsOutside) {
  const PacketBuilder outer = PacketBuilder().Ethernet().Ipv4("192.0.2.1", "192.0.2.2");
  const Decoded vxlan = DecodeFrame(
      PacketBuilder(outer).Udp(51'000, 4789).Vxlan(5).Ethernet().Raw(Bytes(28), 0x0806));
  EXPECT_EQ(vxlan.source(), "192.0.2.1");
  EXPECT_EQ(vxlan.packet.destination_port, 4789);
  EXPECT_EQ(vxlan.packet.payload_length, 8u + 14 + 28);
  const Decoded gre = DecodeFrame(PacketBuilder(outer).Gre().Raw(Bytes(28), 0x0806));
  EXPECT_EQ(VerdictOf(gre.packet), "tracked");
  EXPECT_EQ(gre.packet.protocol, ip_protocol::kGre);
}

TEST(DecodeTunnel, ATruncatedInsideCountsInTheUdpConversation) {
  const Bytes bytes = Inside(PacketBuilder()
                                 .Ethernet()
                                 .Ipv4("192.0.2.1", "192.0.2.2")
                                 .Udp(51'000, 4789)
                                 .Vxlan(5)
                                 .Ethernet())
                          .Build();
  Frame frame = AsFrame(bytes);
  frame.captured_length = 14 + 20 + 8 + 8 + 14 + 19;
  const Decoded d = DecodeFrame(bytes, frame);
  EXPECT_EQ(VerdictOf(d.packet), "tracked");
  EXPECT_EQ(d.source(), "192.0.2.1");
}

TEST(DecodeTunnel, ADnsAnswerToATunnelsPortIsDns) {
  const Decoded d = DecodeFrame(PacketBuilder()
                                    .Ethernet()
                                    .Ipv4("192.0.2.1", "192.0.2.2")
                                    .Udp(53, 4789)
                                    .Vxlan(5)
                                    .Ethernet()
                                    .Ipv4("10.0.0.1", "10.0.0.2")
                                    .Udp(1, 2));
  EXPECT_EQ(d.source(), "192.0.2.1");
}

TEST(DecodeTunnel, ControlMessagesAreNoTunnel) {
  const PacketBuilder outer = PacketBuilder().Ethernet().Ipv4("192.0.2.1", "192.0.2.2");
  const Decoded gtp_echo = DecodeFrame(
      PacketBuilder(outer).Udp(2152, 2152).Raw({0x32, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0}, 0));
  EXPECT_EQ(gtp_echo.packet.destination_port, 2152);
  const Decoded l2tp = DecodeFrame(
      PacketBuilder(outer).Udp(1701, 1701).Raw({0xc8, 2, 0, 12, 0, 1, 0, 0, 0, 0, 0, 0}, 0));
  EXPECT_EQ(l2tp.packet.destination_port, 1701);
  const Decoded keep_alive = DecodeFrame(Inside(
      PacketBuilder(outer).Udp(5247, 5247).Raw({0, 0x10, 0x02, 0x08, 0, 0, 0, 0}, 0).Ethernet()));
  EXPECT_EQ(keep_alive.packet.destination_port, 5247);
}

TEST(DecodeTunnel, TooManyEncapsulationsAreMalformed) {
  PacketBuilder builder = PacketBuilder().Ethernet();
  for (int i = 0; i < 40; ++i) builder.Ipv4("192.0.2.1", "192.0.2.2");
  EXPECT_EQ(VerdictOf(DecodeFrame(Inside(builder)).packet), "malformed tunnel_depth");
}

TEST(DecodeTunnel, AnIdentityThatDoesNotFitIsMalformed) {
  PacketBuilder builder = PacketBuilder().Ethernet();
  for (uint16_t i = 1; i <= 60; ++i) builder.Vlan(i);
  EXPECT_EQ(VerdictOf(DecodeFrame(Inside(builder)).packet), "malformed tunnel_depth");
}

// Link headers that announce one of their kind, without end: each would cost a frame of our stack.
TEST(DecodeTunnel, EndlessLinkHeadersAreTooDeep) {
  const auto endless = [](Bytes start, const Bytes& again) {
    for (int i = 0; i < 50'000; ++i) start.insert(start.end(), again.begin(), again.end());
    return start;
  };
  const Bytes mpls = endless({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x47},
                             {0, 0, 0x01, 0x40, 0x10, 0, 0x02, 0x81});
  const Bytes metadata =
      endless({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x89, 0x09}, {1, 1, 0, 1, 0, 5, 0x89, 0x09});
  const Bytes hdlc = endless({}, {0x0f, 0, 0x88, 0x0b});
  EXPECT_EQ(VerdictOf(DecodeFrame(mpls).packet), "malformed tunnel_depth");
  EXPECT_EQ(VerdictOf(DecodeFrame(metadata).packet), "malformed tunnel_depth");
  EXPECT_EQ(VerdictOf(DecodeFrame(hdlc, link_type::kCiscoHdlc).packet), "malformed tunnel_depth");
}

// What stands in front of a tunnel that leads nowhere may already be too much for a path.
TEST(DecodeTunnel, ATagTooManyIsNotForgottenBehindATunnelThatLeadsNowhere) {
  PacketBuilder builder = PacketBuilder().Ethernet();
  for (uint16_t id = 1; id <= 42; ++id) builder.Vlan(id);
  builder.Ipv4("10.0.0.1", "10.0.0.2").Udp(1000, 4789).Payload("no VXLAN");
  EXPECT_EQ(VerdictOf(DecodeFrame(builder.Build()).packet), "malformed tunnel_depth");
}

}  // namespace
}  // namespace weir::test

// Tunnels: a flow inside is steered by its own addresses, in both directions, and as the decoder
// would have it where the question is whose flow a frame is.
#include "tests/bpf/steer_fixture.h"

namespace weir::test {
namespace {

constexpr const char* kNear = "203.0.113.1";  // the tunnel's ends
constexpr const char* kFar = "203.0.113.2";
constexpr const char* kClient = "10.1.1.1";  // inside
constexpr const char* kServer = "10.2.2.2";
constexpr const char* kClient6 = "2001:db8::7";
constexpr const char* kServer6 = "2001:db8:1::9";

PacketBuilder& Outer(PacketBuilder& builder, bool back) {
  return builder.Ethernet().Ipv4(back ? kFar : kNear, back ? kNear : kFar);
}
PacketBuilder& OuterUdp(PacketBuilder& builder, bool back, uint16_t port) {
  return Outer(builder, back).Udp(back ? 50001 : 50000, port);
}

struct Tunnel {
  const char* name;
  void (*build)(PacketBuilder& builder, bool back);  // up to the IP header inside
};

const Tunnel kTunnels[] = {
    {"IpInIp", [](PacketBuilder& b, bool back) { Outer(b, back); }},
    {"IpInIpv6",
     [](PacketBuilder& b, bool back) {
       b.Ethernet().Ipv6(back ? "2001:db8:f::2" : "2001:db8:f::1",
                         back ? "2001:db8:f::1" : "2001:db8:f::2");
     }},
    {"Gre", [](PacketBuilder& b, bool back) { Outer(b, back).Gre(); }},
    {"GreKey", [](PacketBuilder& b, bool back) { Outer(b, back).GreKey(7); }},
    {"GreBridged",
     [](PacketBuilder& b, bool back) { Outer(b, back).Gre().Raw({}, 0x6558).Ethernet(); }},
    {"GreMpls", [](PacketBuilder& b, bool back) { Outer(b, back).Gre().Mpls(5); }},
    {"Vxlan", [](PacketBuilder& b, bool back) { OuterUdp(b, back, 4789).Vxlan(9).Ethernet(); }},
    {"VxlanWithTags",
     [](PacketBuilder& b, bool back) {
       b.Ethernet().Vlan(1, 0x88a8).Vlan(2).Ipv4(back ? kFar : kNear, back ? kNear : kFar);
       b.Udp(50000, 4789).Vxlan(9).Ethernet().Vlan(3).Vlan(4);
     }},
    {"VxlanGpe",
     [](PacketBuilder& b, bool back) {
       OuterUdp(b, back, 4790).Raw({0x0c, 0, 0, 3, 0, 0, 9, 0}, 0).Ethernet();
     }},
    {"Geneve", [](PacketBuilder& b, bool back) { OuterUdp(b, back, 6081).Geneve(back ? 8 : 9); }},
    {"GeneveOptionsBridged",
     [](PacketBuilder& b, bool back) {
       OuterUdp(b, back, 6081).Geneve(9, 16).Raw({}, 0x6558).Ethernet();
     }},
    {"GtpU", [](PacketBuilder& b, bool back) { OuterUdp(b, back, 2152).GtpU(back ? 1 : 2); }},
    {"GtpUOptional",
     [](PacketBuilder& b, bool back) {
       OuterUdp(b, back, 2152).Raw({0x32, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0}, 0);
     }},
    {"GtpUExtension",
     [](PacketBuilder& b, bool back) {
       OuterUdp(b, back, 2152).Raw({0x34, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0}, 0);
     }},
    {"GreInUdp", [](PacketBuilder& b, bool back) { OuterUdp(b, back, 4754).Gre(); }},
    {"MplsInUdp", [](PacketBuilder& b, bool back) { OuterUdp(b, back, 6635).Mpls(5); }},
    {"Lisp", [](PacketBuilder& b, bool back) { OuterUdp(b, back, 4341).Raw(Bytes(8), 0); }},
    {"VxlanOverGre",
     [](PacketBuilder& b, bool back) {
       Outer(b, back).Gre().Ipv4("172.16.0.1", "172.16.0.2").Udp(1, 4789).Vxlan(9).Ethernet();
     }},
};

class SteerTunnelTest : public SteerTest, public testing::WithParamInterface<Tunnel> {
 protected:
  PacketBuilder Inside(bool back) {
    PacketBuilder builder;
    GetParam().build(builder, back);
    return builder.Ipv4(back ? kServer : kClient, back ? kClient : kServer);
  }
  PacketBuilder Inside6(bool back) {
    PacketBuilder builder;
    GetParam().build(builder, back);
    return builder.Ipv6(back ? kServer6 : kClient6, back ? kClient6 : kServer6);
  }
};

INSTANTIATE_TEST_SUITE_P(Every, SteerTunnelTest, testing::ValuesIn(kTunnels),
                         [](const auto& test) { return test.param.name; });

TEST_P(SteerTunnelTest, AFlowInsideGoesByItsOwnPair) {
  for (bool back : {false, true}) {
    EXPECT_EQ(Steer(Inside(back).Tcp(80, 4000).Build()), Pair(kClient, kServer));
    EXPECT_EQ(Steer(Inside6(back).Udp(53, 4000).Build()), Pair(kClient6, kServer6));
  }
}

TEST_P(SteerTunnelTest, FragmentsInsideGoWithTheirFlow) {
  for (uint32_t offset : {0u, 1480u}) {
    EXPECT_EQ(Steer(Inside(false).Ipv4Fragment(7, offset, true).Payload(64).Build()),
              Pair(kClient, kServer));
    EXPECT_EQ(Steer(Inside6(true).Fragment(7, offset, true).Payload(64).Build()),
              Pair(kClient6, kServer6));
  }
}

class SteerOuterTest : public SteerTest {};

TEST_F(SteerOuterTest, APingBehindPortsBelongsToTheTunnelsConversation) {
  PacketBuilder vxlan, gre;
  OuterUdp(vxlan, false, 4789).Vxlan(1).Ethernet().Ipv4(kClient, kServer).Icmp(8, 0);
  EXPECT_EQ(Steer(vxlan.Build()), Pair(kNear, kFar));
  Outer(gre, false).Gre().Ipv4(kClient, kServer).Icmp(8, 0);
  EXPECT_EQ(Steer(gre.Build()), Pair(kClient, kServer));
}

// Only the first fragment shows what is inside.
TEST_F(SteerOuterTest, FragmentsOfATunnelsPacketGoByTheOuterPair) {
  PacketBuilder inside;
  const Bytes payload = inside.Ipv4(kClient, kServer).Tcp(1, 2).Payload(400).Build();
  for (uint32_t offset : {0u, 200u}) {
    PacketBuilder gre;
    Outer(gre, false).Ipv4Fragment(7, offset, true, 4).Payload(payload);
    EXPECT_EQ(Steer(gre.Build()), Pair(kNear, kFar));
  }
}

TEST_F(SteerOuterTest, TunnelsThatAreNotFollowedGoByTheOuterPair) {
  PacketBuilder esp, l2tp;
  Outer(esp, false).Raw(Bytes(40, 0x45), 50);
  EXPECT_EQ(Steer(esp.Build()), Pair(kNear, kFar));
  OuterUdp(l2tp, true, 1701).Raw({0, 2, 0, 1, 0, 2, 0xff, 0x03, 0, 0x21}, 0);
  EXPECT_EQ(Steer(l2tp.Ipv4(kClient, kServer).Tcp(1, 2).Build()), Pair(kNear, kFar));
}

TEST_F(SteerOuterTest, AnotherServicesClientMayHaveATunnelsPort) {
  PacketBuilder dns, other;
  Outer(dns, false).Udp(4789, 53).Vxlan(1).Ethernet().Ipv4(kClient, kServer).Tcp(1, 2);
  EXPECT_EQ(Steer(dns.Build()), Pair(kNear, kFar));
  Outer(other, false).Udp(4789, 54).Vxlan(1).Ethernet().Ipv4(kClient, kServer).Tcp(1, 2);
  EXPECT_EQ(Steer(other.Build()), Pair(kClient, kServer));
}

TEST_F(SteerOuterTest, AnErrorAboutATunnelsPacketGoesWithTheFlowInsideAsFarAsItIsQuoted) {
  PacketBuilder gre;
  const Bytes frame = Outer(gre, false).Gre().Ipv4(kClient, kServer).Tcp(1, 2).Build();
  const Bytes whole(frame.begin() + 14, frame.end());
  const Bytes short_quote(whole.begin(), whole.begin() + 28);
  const auto error = [&](const Bytes& quoted) {
    return Steer(
        PacketBuilder().Ethernet().Ipv4("203.0.113.99", kNear).Icmp(3, 4).Payload(quoted).Build());
  };
  EXPECT_EQ(error(whole), Pair(kClient, kServer));
  EXPECT_EQ(error(short_quote), Pair(kNear, kFar));
}

TEST_F(SteerOuterTest, AnErrorInsideATunnelWithoutPortsGoesWithTheFlowItQuotes) {
  PacketBuilder quoted, gre;
  const Bytes packet = quoted.Ipv4(kServer, kClient).Udp(53, 9).Build();
  Outer(gre, false).Gre().Ipv4("10.9.9.9", kServer).Icmp(3, 3).Payload(packet);
  EXPECT_EQ(Steer(gre.Build()), Pair(kClient, kServer));
}

TEST_F(SteerOuterTest, TooManyTunnelsGoByTheLastPairThatWasReached) {
  PacketBuilder builder;
  builder.Ethernet();
  for (int i = 0; i < 40; ++i) {
    builder.Ipv4("10.0.0." + std::to_string(i), "10.0.1." + std::to_string(i));
  }
  const Bytes frame = builder.Tcp(1, 2).Build();
  const uint32_t steered = Steer(frame);
  bool by_a_pair = false;
  for (int i = 0; i < 40; ++i) {
    by_a_pair |= steered == Pair("10.0.0." + std::to_string(i), "10.0.1." + std::to_string(i));
  }
  EXPECT_TRUE(by_a_pair);
}

}  // namespace
}  // namespace weir::test

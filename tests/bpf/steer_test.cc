// Which socket a frame without tunnels is steered to.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <random>

#include "tests/bpf/steer_fixture.h"

namespace weir::test {
namespace {

constexpr const char* kClient = "192.0.2.7";
constexpr const char* kServer = "198.51.100.9";
constexpr const char* kClient6 = "2001:db8::7";
constexpr const char* kServer6 = "2001:db8:1::9";

PacketBuilder Ip(const char* source, const char* destination) {
  PacketBuilder builder;
  builder.Ethernet();
  const bool is_ipv6 = std::string_view(source).find(':') != std::string_view::npos;
  return is_ipv6 ? builder.Ipv6(source, destination) : builder.Ipv4(source, destination);
}

TEST_F(SteerTest, BothDirectionsOfAFlowAreOne) {
  EXPECT_EQ(Steer(Ip(kClient, kServer).Tcp(4000, 80).Build()), Pair(kClient, kServer));
  EXPECT_EQ(Steer(Ip(kServer, kClient).Tcp(80, 4000).Build()), Pair(kClient, kServer));
  EXPECT_EQ(Steer(Ip(kClient6, kServer6).Udp(4000, 53).Build()), Pair(kClient6, kServer6));
  EXPECT_EQ(Steer(Ip(kServer6, kClient6).Udp(53, 4000).Build()), Pair(kClient6, kServer6));
}

TEST_F(SteerTest, AllFlowsOfAPairAreOne) {
  EXPECT_EQ(Steer(Ip(kClient, kServer).Tcp(4001, 443).Build()), Pair(kClient, kServer));
  EXPECT_EQ(Steer(Ip(kClient, kServer).Sctp(1, 2).Build()), Pair(kClient, kServer));
  EXPECT_EQ(Steer(Ip(kClient, kServer).Icmp(8, 0).Build()), Pair(kClient, kServer));
}

TEST_F(SteerTest, TagsAreSkipped) {
  for (int tags = 1; tags <= 4; ++tags) {
    PacketBuilder builder;
    builder.Ethernet();
    for (int i = 0; i < tags; ++i) builder.Vlan(static_cast<uint16_t>(i), i == 0 ? 0x88a8 : 0x8100);
    EXPECT_EQ(Steer(builder.Ipv4(kClient, kServer).Tcp(1, 2).Build()), Pair(kClient, kServer));
  }
}

TEST_F(SteerTest, LabelsAndSessionsAreSkipped) {
  EXPECT_EQ(
      Steer(PacketBuilder().Ethernet().Mpls(3).Mpls(4).Ipv6(kClient6, kServer6).Tcp(1, 2).Build()),
      Pair(kClient6, kServer6));
  EXPECT_EQ(Steer(PacketBuilder().Ethernet().Pppoe(9).Ipv4(kClient, kServer).Tcp(1, 2).Build()),
            Pair(kClient, kServer));
  EXPECT_EQ(Steer(PacketBuilder().Ethernet().Llc().Ipv4(kClient, kServer).Tcp(1, 2).Build()),
            Pair(kClient, kServer));
}

TEST_F(SteerTest, OptionsAndExtensionHeadersAreSkipped) {
  EXPECT_EQ(Steer(Ip(kClient, kServer).Ipv4Options(Bytes(8, 1)).Tcp(1, 2).Build()),
            Pair(kClient, kServer));
  EXPECT_EQ(Steer(Ip(kClient6, kServer6)
                      .HopByHop()
                      .DestinationOptions(16)
                      .Authentication()
                      .Tcp(1, 2)
                      .Build()),
            Pair(kClient6, kServer6));
}

TEST_F(SteerTest, EveryFragmentGoesWithItsFlow) {
  for (uint32_t offset : {0u, 1480u, 2960u}) {
    const bool more = offset != 2960;
    EXPECT_EQ(Steer(Ip(kClient, kServer).Ipv4Fragment(7, offset, more).Payload(1480).Build()),
              Pair(kClient, kServer));
    EXPECT_EQ(Steer(Ip(kClient6, kServer6).Fragment(7, offset, more).Payload(1480).Build()),
              Pair(kClient6, kServer6));
  }
}

// A payload that looks like a tunnel's outer header must not be followed.
TEST_F(SteerTest, ALaterFragmentIsNotTakenForAHeader) {
  const Bytes ports = {0x12, 0xb5, 0x12, 0xb5};  // 4789
  PacketBuilder inner;
  const Bytes quoted = inner.Ethernet().Ipv4("10.1.1.1", "10.2.2.2").Tcp(1, 2).Build();
  EXPECT_EQ(Steer(Ip(kClient, kServer)
                      .Ipv4Fragment(7, 1480, false)
                      .Payload(ports)
                      .Payload(Bytes(12))
                      .Payload(quoted)
                      .Build()),
            Pair(kClient, kServer));
}

// The packet without its Ethernet header.
Bytes Quote(const PacketBuilder& builder, size_t most = SIZE_MAX) {
  const Bytes frame = builder.Build();
  return Bytes(frame.begin() + 14, frame.begin() + 14 + std::min(most, frame.size() - 14));
}

TEST_F(SteerTest, AnIcmpErrorGoesWithTheFlowItIsAbout) {
  constexpr const char* kRouter = "203.0.113.1";
  const Bytes quoted = Quote(Ip(kClient, kServer).Udp(4000, 33434).Payload(40), 28);
  for (uint8_t type : {3, 4, 5, 11, 12}) {
    EXPECT_EQ(Steer(Ip(kRouter, kClient).Icmp(type, 1).Payload(quoted).Build()),
              Pair(kClient, kServer));
  }
  EXPECT_EQ(Steer(Ip(kServer, kClient).Icmp(3, 3).Payload(quoted).Build()), Pair(kClient, kServer));
  EXPECT_EQ(Steer(Ip(kRouter, kClient).Icmp(8, 0).Payload(quoted).Build()), Pair(kRouter, kClient));
}

TEST_F(SteerTest, AnIcmpv6ErrorGoesWithTheFlowItIsAbout) {
  constexpr const char* kRouter = "2001:db8:ffff::1";
  const Bytes quoted = Quote(Ip(kClient6, kServer6).Tcp(4000, 80));
  for (uint8_t type : {1, 2, 3, 4}) {
    EXPECT_EQ(Steer(Ip(kRouter, kClient6).Icmpv6(type, 0).Payload(quoted).Build()),
              Pair(kClient6, kServer6));
  }
  EXPECT_EQ(Steer(Ip(kRouter, kClient6).Icmpv6(128, 0).Payload(quoted).Build()),
            Pair(kRouter, kClient6));
}

TEST_F(SteerTest, AnErrorAboutAFragmentGoesWithTheFragmentsFlow) {
  const Bytes quoted = Quote(Ip(kClient, kServer).Ipv4Fragment(7, 1480, true).Payload(100), 28);
  EXPECT_EQ(Steer(Ip("203.0.113.1", kClient).Icmp(11, 1).Payload(quoted).Build()),
            Pair(kClient, kServer));
}

TEST_F(SteerTest, AnErrorWithoutAQuoteGoesByItsOwnAddresses) {
  EXPECT_EQ(Steer(Ip(kServer, kClient).Icmp(3, 3).Build()), Pair(kServer, kClient));
}

TEST_F(SteerTest, WhatIsNotIpGoesByItsMacPair) {
  const auto arp = [&](const char* source, const char* destination) {
    return Steer(PacketBuilder()
                     .Ethernet(source, destination)
                     .Raw(Bytes(28, 1), 0x0806)
                     .Payload(18)
                     .Build());
  };
  const uint32_t pair = arp("02:00:00:00:00:01", "02:00:00:00:00:02");
  EXPECT_EQ(pair, arp("02:00:00:00:00:02", "02:00:00:00:00:01"));
  EXPECT_NE(pair, arp("02:00:00:00:00:01", "02:00:00:00:00:03"));
}

TEST_F(SteerTest, WithoutAnEthernetHeaderWhatIsNotIpGoesToTheFirst) {
  auto program = LoadSteerProgram({.seed = kSeed, .ethernet = false});
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(SteerWith(*program, PacketBuilder().Ethernet().Raw(Bytes(46, 1), 0x0806).Build()), 0u);
  EXPECT_EQ(SteerWith(*program, Ip(kClient, kServer).Tcp(1, 2).Build()), Pair(kClient, kServer));
}

TEST_F(SteerTest, TruncatedFramesAreSteeredByWhatIsThere) {
  const Bytes whole = Ip(kClient, kServer).Udp(4000, 4789).Vxlan(1).Payload(100).Build();
  for (size_t size = 14 + 20; size < whole.size(); ++size) {
    EXPECT_EQ(Steer(Bytes(whole.begin(), whole.begin() + size)), Pair(kClient, kServer)) << size;
  }
}

TEST_F(SteerTest, AnotherSeedSteersOtherwise) {
  auto other = LoadSteerProgram({.seed = kSeed + 1});
  ASSERT_TRUE(other.ok()) << other.status();
  const Bytes frame = Ip(kClient, kServer).Tcp(1, 2).Build();
  EXPECT_NE(Steer(frame), SteerWith(*other, frame));
}

// Flows of `address` (a fresh one each time) with one server fall on 4 and on 7 sockets evenly: the
// most crowded has no more than 5 standard deviations above its share.
void ExpectEven(const std::function<uint32_t(int)>& address,
                const std::function<uint32_t(const Bytes&)>& steer) {
  constexpr int kFlows = 4000;
  std::array<int, 4> of_4{};
  std::array<int, 7> of_7{};
  Bytes frame = Ip("10.0.0.0", kServer).Tcp(1, 2).Build();
  for (int i = 0; i < kFlows; ++i) {
    const uint32_t client = address(i);
    for (int byte = 0; byte < 4; ++byte) frame[26 + byte] = client >> (24 - 8 * byte) & 0xff;
    const uint32_t hash = steer(frame);
    ++of_4[hash % 4];
    ++of_7[hash % 7];
  }
  const auto most = [](double share) { return share + 5 * std::sqrt(share); };
  EXPECT_LT(*std::max_element(of_4.begin(), of_4.end()), most(kFlows / 4.0));
  EXPECT_LT(*std::max_element(of_7.begin(), of_7.end()), most(kFlows / 7.0));
}

TEST_F(SteerTest, FlowsOfNeighboursAreSpreadEvenly) {
  ExpectEven([](int i) { return 0x0a000000u + static_cast<uint32_t>(i); },
             [&](const Bytes& frame) { return Steer(frame); });
}

TEST_F(SteerTest, FlowsOfDistantClientsAreSpreadEvenly) {
  std::mt19937 random(1);
  ExpectEven([&](int) { return random(); }, [&](const Bytes& frame) { return Steer(frame); });
}

}  // namespace
}  // namespace weir::test

#include "tools/load/traffic/flow_identity.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include "engine/packet/bytes.h"
#include "engine/packet/packet.h"
#include "engine/packet/tunnel_ports.h"
#include "gtest/gtest.h"

namespace weir::load {
namespace {

FlowKey KeyOf(const FlowIdentity& identity, int initiator = 0) {
  FlowKey key;
  key.family = identity.ipv6 ? AddressFamily::kIpv6 : AddressFamily::kIpv4;
  key.protocol = identity.protocol;
  std::copy_n(identity.addresses[initiator], 16, key.source.begin());
  std::copy_n(identity.addresses[1 - initiator], 16, key.destination.begin());
  key.source_port = identity.ports[initiator];
  key.destination_port = identity.ports[1 - initiator];
  return key;
}

TrafficProfile Mixed() {
  return {.seed = 9,
          .udp = 0.3,
          .icmp = 0.2,
          .ipv6 = 0.4,
          .vlans = {7, 8, 9},
          .tunnels = {TunnelKind::kNone, TunnelKind::kVxlan}};
}

class FlowIdentityTest : public ::testing::TestWithParam<uint32_t> {};  // where numbers start

TEST_P(FlowIdentityTest, TheNumberComesBackFromEitherSide) {
  const TrafficProfile profile = Mixed();
  for (uint32_t i = 0; i < 300'000; i += i < 3'000 ? 1 : 997) {
    const uint32_t flow = GetParam() + i;
    const FlowIdentity identity = IdentityOf(profile, flow);
    ASSERT_EQ(FlowNumberOf(profile, KeyOf(identity, 0)), flow);
    ASSERT_EQ(FlowNumberOf(profile, KeyOf(identity, 1)), flow);
  }
}

TEST_P(FlowIdentityTest, NoPortIsATunnels) {
  for (uint32_t i = 0; i < 100'000; ++i) {
    const FlowIdentity identity = IdentityOf(Mixed(), GetParam() + i);
    if (identity.ports[0] == identity.ports[1]) continue;  // ICMP
    ASSERT_FALSE(decode::MayBeTunnel(identity.ports[0], identity.ports[1]));
  }
}

INSTANTIATE_TEST_SUITE_P(Starts, FlowIdentityTest,
                         ::testing::Values(0u, 0x00fe'0000u, 0x3f00'0000u, kSynFloodFlow,
                                           kCollisionFlow, kCollisionFlow + 0x12ff'0000u,
                                           kFragmentFlow));

TEST(FlowIdentityTest, SharesOfProtocolsAndFamiliesAreKept) {
  std::map<uint8_t, int> protocols;
  int ipv6 = 0;
  for (uint32_t flow = 0; flow < 10'000; ++flow) {
    const FlowIdentity identity = IdentityOf(Mixed(), flow);
    ++protocols[identity.protocol];
    ipv6 += identity.ipv6;
  }
  EXPECT_NEAR(protocols[ip_protocol::kUdp], 3'000, 200);
  EXPECT_NEAR(protocols[ip_protocol::kIcmp], 1'200, 150);
  EXPECT_NEAR(protocols[ip_protocol::kIcmpv6], 800, 150);
  EXPECT_NEAR(protocols[ip_protocol::kTcp], 5'000, 200);
  EXPECT_NEAR(ipv6, 4'000, 200);
}

TEST(FlowIdentityTest, StrangersHaveNoNumber) {
  const TrafficProfile profile = Mixed();
  for (uint32_t flow = 0; flow < 1'000; ++flow) {
    const FlowKey key = KeyOf(IdentityOf(profile, flow));
    FlowKey other = key;
    ++other.source_port;
    EXPECT_EQ(FlowNumberOf(profile, other), std::nullopt);
    other = key;
    other.protocol = ip_protocol::kSctp;
    EXPECT_EQ(FlowNumberOf(profile, other), std::nullopt);
    other = key;
    other.destination[key.family == AddressFamily::kIpv4 ? 3 : 15] ^= 1;
    EXPECT_EQ(FlowNumberOf(profile, other), std::nullopt);
    other = key;
    other.family = AddressFamily::kMac;
    EXPECT_EQ(FlowNumberOf(profile, other), std::nullopt);
  }
}

TEST(FlowIdentityTest, CollidingFlowsHaveOneSumAndOneExclusiveOr) {
  std::set<std::tuple<uint32_t, uint32_t, uint32_t, uint32_t>> values;
  for (uint32_t i = 0; i < 0x3fff'ffff; i += 104'729) {
    const FlowIdentity identity = IdentityOf({}, kCollisionFlow + i);
    const uint32_t a = Load32(identity.addresses[0]), b = Load32(identity.addresses[1]);
    const uint32_t p = identity.ports[0], q = identity.ports[1];
    values.insert({a + b, a ^ b, p + q, p ^ q});
  }
  EXPECT_EQ(values.size(), 1u);
}

TEST(FlowIdentityTest, TagsAndTunnelsTakeTurnsAndIcmpIsInNoVxlan) {
  const TrafficProfile profile = Mixed();
  for (uint32_t flow = 0; flow < 1'000; ++flow) {
    const FlowIdentity identity = IdentityOf(profile, flow);
    EXPECT_EQ(identity.vlan, profile.vlans[flow % 3]);
    const bool icmp = identity.ports[0] == identity.ports[1];
    const TunnelKind tunnel = icmp ? TunnelKind::kGre : TunnelKind::kVxlan;
    EXPECT_EQ(identity.tunnel, flow % 2 == 0 ? TunnelKind::kNone : tunnel);
  }
  const FlowIdentity flood = IdentityOf(profile, kSynFloodFlow + 1);
  EXPECT_EQ(flood.vlan, std::nullopt);
  EXPECT_EQ(flood.tunnel, TunnelKind::kNone);
}

}  // namespace
}  // namespace weir::load

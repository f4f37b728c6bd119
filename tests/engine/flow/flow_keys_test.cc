// What one flow is: directions, kinds of key, tunnels and VLANs, an embedder's own part.
#include "engine/flow/flow_tracker.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/flow_feeder.h"

namespace weir {
namespace {

using test::FlowFeeder;
using test::kSecond;
using test::MakeSender;
using test::MakeSender6;
using test::Sender;

const Sender kQuery = MakeSender(ip_protocol::kUdp, 0x0a000001, 5000, 0x0a000002, 53);

TEST(FlowTracker, UnidirectionalFlowsAreTwo) {
  FlowFeeder feeder({.bidirectional = false});
  feeder.Send(kQuery, kSecond);
  feeder.Send(kQuery.Reverse(), kSecond);
  feeder.Flush();
  EXPECT_EQ(feeder.Ended().size(), 2u);
}

TEST(FlowTracker, IpPairIgnoresPortsAndProtocols) {
  FlowFeeder feeder({.key = KeyKind::kIpPair});
  feeder.Send(kQuery, kSecond);
  feeder.Send(MakeSender(ip_protocol::kTcp, 0x0a000002, 80, 0x0a000001, 1234), kSecond);
  feeder.Flush();
  ASSERT_EQ(feeder.Ended().size(), 1u);
  EXPECT_EQ(feeder.Ended()[0].packets, (std::array<uint64_t, 2>{1, 1}));
}

TEST(FlowTracker, MacPairTracksWhatIsNotIp) {
  FlowFeeder feeder({.key = KeyKind::kMacPair});
  Sender host{.source = {2, 0, 0, 0, 0, 1}, .destination = {2, 0, 0, 0, 0, 2}};
  host.family = AddressFamily::kMac;
  Packet packet = feeder.Make(host, kSecond);
  packet.verdict = Verdict::kNotIp;
  EXPECT_EQ(feeder.Track(packet), Verdict::kTracked);
  feeder.Flush();
  EXPECT_EQ(feeder.Ended().size(), 1u);
}

TEST(FlowTracker, WithoutMacPairWhatIsNotIpStaysSo) {
  FlowFeeder feeder;
  Packet packet = feeder.Make(kQuery, kSecond);
  packet.verdict = Verdict::kNotIp;
  EXPECT_EQ(feeder.Track(packet), Verdict::kNotIp);
  EXPECT_EQ(feeder.tracker().alive(), 0u);
}

TEST(FlowTracker, Ipv6AddressesAreWholeInTheRecord) {
  FlowFeeder feeder;
  const Sender sender = MakeSender6(ip_protocol::kUdp, 1, 10, 2, 20);
  feeder.Send(sender, kSecond);
  feeder.Send(sender.Reverse(), kSecond);
  feeder.Flush();
  ASSERT_EQ(feeder.Ended().size(), 1u);
  EXPECT_EQ(feeder.Ended()[0].key.source, sender.source);
  EXPECT_EQ(feeder.Ended()[0].key.destination, sender.destination);
  EXPECT_EQ(feeder.Ended()[0].packets, (std::array<uint64_t, 2>{1, 1}));
}

TEST(FlowTracker, EqualAddressesInTwoVlansAreTwoFlows) {
  FlowFeeder feeder;
  for (uint8_t vlan : {5, 6}) {
    TunnelPath path;
    const uint8_t id[2] = {0, vlan};
    path.Append(PathElement::kVlan, id, 2);
    Packet packet = feeder.Make(kQuery, kSecond);
    packet.tunnel = &path;
    packet.vlan[0] = vlan;
    packet.vlan_count = 1;
    feeder.Track(packet);
  }
  feeder.Flush();
  ASSERT_EQ(feeder.Ended().size(), 2u);
  EXPECT_NE(feeder.Ended()[0].vlan[0], feeder.Ended()[1].vlan[0]);
}

TEST(FlowTracker, AFullTunnelTableShedsAndCountsNothing) {
  FlowFeeder feeder({.max_tunnels = 1});
  Verdict verdicts[2];
  for (uint8_t vni = 0; vni < 2; ++vni) {
    TunnelPath path;
    const uint8_t id[3] = {0, 0, vni};
    path.Append(PathElement::kVxlanVni, id, 3);
    Packet packet = feeder.Make(kQuery, kSecond);
    packet.tunnel = &path;
    verdicts[vni] = feeder.Track(packet);
  }
  EXPECT_EQ(verdicts[0], Verdict::kTracked);
  EXPECT_EQ(verdicts[1], Verdict::kShed);
  EXPECT_EQ(feeder.tracker().alive(), 1u);
  feeder.Flush();
  EXPECT_EQ(feeder.tracker().tunnels_in_use(), 0u);
}

TEST(FlowTracker, AnEmbeddersKeyPartSeparatesFlows) {
  FlowOptions options;
  options.extension.function = [](void*, const Frame&, const Packet& packet) -> uint64_t {
    return packet.wire_length == 60 ? 0 : 7;
  };
  FlowFeeder feeder(options);
  feeder.Send(kQuery, kSecond, 60);
  feeder.Send(kQuery, kSecond, 61);
  feeder.Send(kQuery.Reverse(), kSecond, 62);
  EXPECT_EQ(feeder.tracker().alive(), 2u);
}

}  // namespace
}  // namespace weir

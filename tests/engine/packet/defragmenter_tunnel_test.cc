// Fragments under VLANs and tunnels: outside, inside and both at once.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "tests/engine/packet/defragmenting.h"

namespace weir::test {
namespace {

TEST(DefragmenterTunnels, VlansIdsAndProtocolsAreKeptApart) {
  Bench bench;
  const auto cuts = CutUp(UdpDatagram(200), 104);
  bench.Feed(Frame4(cuts[0], 7, Ethernet().Vlan(1)));
  EXPECT_EQ(bench.Feed(Frame4(cuts[1], 7, Ethernet().Vlan(2))).verdict, Verdict::kFragmentHeld);
  EXPECT_EQ(bench.Feed(Frame4(cuts[1], 8, Ethernet().Vlan(1))).verdict, Verdict::kFragmentHeld);
  EXPECT_EQ(bench.Feed(Frame4(cuts[1], 7, Ethernet().Vlan(1), 6)).verdict, Verdict::kFragmentHeld);
  EXPECT_EQ(bench.Feed(Frame4(cuts[1], 7, Ethernet().Vlan(1))).verdict, Verdict::kTracked);
  EXPECT_EQ(bench.packet().vlan[0], 1);
  ASSERT_NE(bench.packet().tunnel, nullptr);
}

TEST(DefragmenterTunnels, AFragmentedTunnelIsFollowedInside) {
  Bench bench;
  const Bytes inner =
      PacketBuilder().Gre().Ipv4("10.0.0.1", "10.0.0.2").Udp(1000, 2000).Payload(600).Build();
  for (const Cut& cut : CutUp(inner, 256)) {
    bench.Feed(Frame4(cut, 7, Ethernet(), ip_protocol::kGre));
  }
  EXPECT_EQ(bench.packet().verdict, Verdict::kTracked);
  EXPECT_EQ(bench.packet().destination_port, 2000);
  EXPECT_EQ(bench.packet().payload_length, 600u);
  EXPECT_EQ(bench.packet().held_packets, 2u);
  EXPECT_EQ(bench.packet().flags, packet_flag::kDefragmented | packet_flag::kTunnelled);
}

TEST(DefragmenterTunnels, FragmentsInsideFragmentsCountAllTheirFrames) {
  Bench bench;
  const Bytes datagram = UdpDatagram(400);
  uint16_t id = 20;
  for (const Cut& cut : CutUp(datagram, 208)) {
    const Bytes inner = PacketBuilder()
                            .Gre()
                            .Ipv4("10.0.0.1", "10.0.0.2")
                            .Ipv4Fragment(9, cut.offset, cut.more)
                            .Payload(cut.bytes)
                            .Build();
    for (const Cut& outer : CutUp(inner, 128)) bench.Feed(Frame4(outer, id, Ethernet(), 47));
    ++id;
  }
  EXPECT_EQ(bench.packet().verdict, Verdict::kTracked);
  EXPECT_EQ(bench.packet().destination_port, 2000);
  EXPECT_EQ(bench.packet().held_packets, 3u);
  EXPECT_EQ(bench.counters().completed, 3u);
  EXPECT_EQ(bench.counters().held, 0u);
}

TEST(DefragmenterTunnels, AMalformedDatagramTakesItsFragmentsAlong) {
  Bench bench;
  Bytes tunnel(200, 0x55);  // IP version 5
  tunnel[0] = tunnel[1] = tunnel[3] = 0;
  tunnel[2] = 0x08;
  for (const Cut& cut : CutUp(tunnel, 104)) bench.Feed(Frame4(cut, 7, Ethernet(), 47));
  EXPECT_EQ(bench.packet().verdict, Verdict::kMalformed);
  EXPECT_EQ(bench.packet().held_packets, 1u);
}

// One way to stand before an inner IP header.
struct Outer {
  const char* name;
  std::function<PacketBuilder(uint16_t)> link;
};

std::vector<Outer> Outers() {
  const auto outer4 = [] { return Ethernet().Ipv4("192.0.2.1", "192.0.2.2"); };
  return {
      {"vlan", [](uint16_t id) { return Ethernet().Vlan(id); }},
      {"qinq", [](uint16_t id) { return Ethernet().Vlan(9, 0x88a8).Vlan(id); }},
      {"gre", [=](uint16_t id) { return outer4().GreKey(id); }},
      {"vxlan", [=](uint16_t id) { return outer4().Udp(50'000, 4789).Vxlan(id).Ethernet(); }},
      {"vlan in vxlan in vlan",
       [](uint16_t id) {
         return Ethernet()
             .Vlan(3)
             .Ipv4("192.0.2.1", "192.0.2.2")
             .Udp(50'000, 4789)
             .Vxlan(4)
             .Ethernet()
             .Vlan(id);
       }},
      {"gre in vxlan",
       [=](uint16_t id) {
         return outer4()
             .Udp(50'000, 4789)
             .Vxlan(4)
             .Ethernet()
             .Ipv4("198.51.100.1", "198.51.100.2")
             .GreKey(id);
       }},
  };
}

TEST(DefragmenterTunnels, FragmentsInsideCompleteWithinTheirOwnTunnelOnly) {
  const auto cuts = CutUp(UdpDatagram(400), 208);
  for (const auto& [name, link] : Outers()) {
    SCOPED_TRACE(name);
    Bench bench;
    bench.Feed(Frame4(cuts[0], 7, link(1)));
    EXPECT_EQ(bench.Feed(Frame4(cuts[1], 7, link(2))).verdict, Verdict::kFragmentHeld);
    const Packet& p = bench.Feed(Frame4(cuts[1], 7, link(1)));
    EXPECT_EQ(p.verdict, Verdict::kTracked);
    EXPECT_EQ(p.destination_port, 2000);
    EXPECT_EQ(p.payload_length, 400u);
    EXPECT_EQ(p.held_packets, 1u);
    EXPECT_NE(p.tunnel, nullptr);
  }
}

TEST(DefragmenterTunnels, AFragmentedVxlanFrameIsFollowedInside) {
  Bench bench;
  const Bytes frame = PacketBuilder()
                          .Ipv4("192.0.2.1", "192.0.2.2")
                          .Udp(50'000, 4789)
                          .Vxlan(4)
                          .Ethernet()
                          .Vlan(5)
                          .Ipv6("2001:db8::1", "2001:db8::2")
                          .Tcp(1000, 443)
                          .Payload(1400)
                          .Build();
  for (const Cut& cut : CutUp(Bytes(frame.begin() + 20, frame.end()), 1000)) {
    bench.Feed(Frame4(cut));
  }
  EXPECT_EQ(bench.packet().verdict, Verdict::kTracked);
  EXPECT_EQ(bench.packet().family, AddressFamily::kIpv6);
  EXPECT_EQ(bench.packet().destination_port, 443);
  EXPECT_EQ(bench.packet().payload_length, 1400u);
  EXPECT_NE(bench.packet().tunnel, nullptr);
}

}  // namespace
}  // namespace weir::test

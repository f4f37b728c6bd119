#include "engine/rules_filter.h"

#include "engine/packet/decoder.h"
#include "gtest/gtest.h"
#include "tests/support/packet_builder.h"

namespace weir::test {
namespace {

class RulesFilterTest : public testing::Test {
 protected:
  // Decodes and filters one frame.
  Packet Judge(const Bytes& bytes, uint16_t link_type = link_type::kEthernet) {
    const Frame frame = AsFrame(bytes, link_type);
    Packet packet;
    Decoder().Decode(frame, packet, path_);
    RulesFilter filter(std::make_shared<const FilterRules>(rules_));
    filter.Apply({&frame, 1}, {&packet, 1});
    return packet;
  }
  static FilterReason ReasonOf(const Packet& packet) {
    EXPECT_EQ(packet.verdict, Verdict::kFiltered);
    return static_cast<FilterReason>(packet.reason);
  }

  FilterRules rules_;
  TunnelPath path_;
};

TEST_F(RulesFilterTest, SaysWhyAFrameIsRefused) {
  rules_.accept_sources = *CidrSet::Parse("10.1.0.0/16", "f");
  const auto from = [](const char* source) {
    return PacketBuilder().Ethernet().Ipv4(source, "10.2.0.1").Udp(1, 2).Build();
  };
  EXPECT_EQ(Judge(from("10.1.0.1")).verdict, Verdict::kTracked);
  EXPECT_EQ(ReasonOf(Judge(from("10.9.0.1"))), FilterReason::kNotAcceptedSource);
}

TEST_F(RulesFilterTest, OtherLinkTypesAreJudgedByWhatTheDecoderFound) {
  rules_.ip_only = true;
  rules_.ignore_destinations = *CidrSet::Parse("10.2.0.0/16\n2001:db8:2::/48", "f");
  const auto ppp = [this](const char* destination) {
    return Judge(PacketBuilder().Ppp().Ipv4("10.1.0.1", destination).Udp(1, 2).Build(),
                 link_type::kPpp);
  };
  EXPECT_EQ(ppp("10.3.0.1").verdict, Verdict::kTracked);
  EXPECT_EQ(ReasonOf(ppp("10.2.0.1")), FilterReason::kIgnoredDestination);
  EXPECT_EQ(ReasonOf(Judge(PacketBuilder().Ppp().Ipv6("::1", "2001:db8:2::1").Udp(1, 2).Build(),
                           link_type::kPpp)),
            FilterReason::kIgnoredDestination);
  EXPECT_EQ(ReasonOf(Judge(Bytes{0xc0, 0x21, 1, 2, 3, 4}, link_type::kPpp)), FilterReason::kNotIp);
}

TEST_F(RulesFilterTest, WhatIsFilteredAlreadyKeepsItsReason) {
  rules_.ip_only = true;
  const Bytes bytes = PacketBuilder().Ethernet().Raw(Bytes(28, 1), 0x0806).Build();
  const Frame frame = AsFrame(bytes);
  Packet packet;
  PacketFilter::Refuse(packet, FilterReason::kExpression);
  RulesFilter(std::make_shared<const FilterRules>(rules_)).Apply({&frame, 1}, {&packet, 1});
  EXPECT_EQ(ReasonOf(packet), FilterReason::kExpression);
}

}  // namespace
}  // namespace weir::test

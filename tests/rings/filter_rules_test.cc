#include "rings/filter_rules.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/packet_builder.h"
#include "tests/support/temporary_folder.h"

namespace weir::test {
namespace {

using ::testing::HasSubstr;
using Reason = std::optional<FilterReason>;

PacketBuilder Udp(const std::string& source, const std::string& destination) {
  return PacketBuilder().Ethernet().Ipv4(source, destination).Udp(1, 2);
}
Bytes Arp() { return PacketBuilder().Ethernet().Raw(Bytes(28, 1), 0x0806).Build(); }
CidrSet Set(std::string_view text) { return *CidrSet::Parse(text, "f"); }
Reason Judge(const FilterRules& rules, const Bytes& bytes) {
  return rules.WhyRefused(AsFrame(bytes));
}

TEST(FilterRules, WithoutRulesEverythingPasses) {
  EXPECT_TRUE(FilterRules().empty());
  EXPECT_EQ(Judge({}, Arp()), std::nullopt);
}

TEST(FilterRules, IpOnlyKeepsWhatTheEtherTypeCallsIp) {
  const FilterRules rules{.ip_only = true};
  EXPECT_FALSE(rules.empty());
  EXPECT_EQ(Judge(rules, Udp("10.0.0.1", "10.0.0.2").Build()), std::nullopt);
  EXPECT_EQ(Judge(rules, PacketBuilder().Ethernet().Ipv6("::1", "::2").Udp(1, 2).Build()),
            std::nullopt);
  EXPECT_EQ(Judge(rules, Arp()), FilterReason::kNotIp);
  EXPECT_EQ(Judge(rules, PacketBuilder().Ethernet().Mpls(7).Ipv4("1.1.1.1", "2.2.2.2").Build()),
            FilterReason::kNotIp);
}

TEST(FilterRules, TheOutermostVlanThatIsOneDecides) {
  FilterRules rules;
  rules.vlans = *ParseVlans("7,untagged");
  const auto with = [](std::vector<uint16_t> ids) {
    PacketBuilder builder;
    builder.Ethernet();
    for (const uint16_t id : ids) builder.Vlan(id);
    return builder.Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build();
  };
  EXPECT_EQ(Judge(rules, with({})), std::nullopt);
  EXPECT_EQ(Judge(rules, with({0})), std::nullopt) << "a priority tag is no VLAN";
  EXPECT_EQ(Judge(rules, with({7, 8})), std::nullopt);
  EXPECT_EQ(Judge(rules, with({0, 7})), std::nullopt);
  EXPECT_EQ(Judge(rules, with({8, 7})), FilterReason::kVlan);
  rules.vlans = *ParseVlans("7");
  EXPECT_EQ(Judge(rules, with({})), FilterReason::kVlan);
}

TEST(FilterRules, ATagThatTheKernelTookOutStandsBeforeThoseInTheBytes) {
  FilterRules rules;
  rules.vlans = *ParseVlans("7");
  const Bytes bytes =
      PacketBuilder().Ethernet().Vlan(8).Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build();
  Frame frame = AsFrame(bytes);
  EXPECT_EQ(rules.WhyRefused(frame), FilterReason::kVlan);
  frame.vlan_tpid = 0x8100;
  frame.vlan_tci = 0xe007;
  EXPECT_EQ(rules.WhyRefused(frame), std::nullopt);
}

TEST(FilterRules, FourTagsAreLookedBehindWhereverTheyStand) {
  const FilterRules rules{.ip_only = true};
  PacketBuilder builder;
  builder.Ethernet();
  for (int i = 0; i < 4; ++i) builder.Vlan(9);
  const Bytes bytes = builder.Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build();
  Frame frame = AsFrame(bytes);
  EXPECT_EQ(rules.WhyRefused(frame), std::nullopt);
  frame.vlan_tpid = 0x8100;
  EXPECT_EQ(rules.WhyRefused(frame), FilterReason::kNotIp);
}

TEST(FilterRules, ListsAreAskedForTheOutermostAddresses) {
  FilterRules rules;
  rules.ignore_destinations = Set("10.2.0.0/16");
  rules.accept_sources = Set("10.1.0.0/16\n2001:db8::/32");
  EXPECT_EQ(Judge(rules, Udp("10.1.0.1", "10.3.0.1").Build()), std::nullopt);
  EXPECT_EQ(Judge(rules, Udp("10.1.0.1", "10.2.0.1").Build()), FilterReason::kIgnoredDestination);
  EXPECT_EQ(Judge(rules, Udp("10.9.0.1", "10.3.0.1").Build()), FilterReason::kNotAcceptedSource);
  EXPECT_EQ(Judge(rules, Udp("10.9.0.1", "10.2.0.1").Build()), FilterReason::kIgnoredDestination);
  EXPECT_EQ(Judge(rules, PacketBuilder().Ethernet().Ipv6("2001:db8::1", "::2").Udp(1, 2).Build()),
            std::nullopt);
  EXPECT_EQ(Judge(rules, PacketBuilder()
                             .Ethernet()
                             .Ipv4("10.1.0.1", "10.3.0.1")
                             .Gre()
                             .Ipv4("10.9.0.1", "10.2.0.1")
                             .Build()),
            std::nullopt)
      << "what a tunnel carries";
}

TEST(FilterRules, WithoutAddressesAFrameIsInNoList) {
  FilterRules rules;
  rules.ignore_destinations = Set("0.0.0.0/0\n::/0");
  EXPECT_EQ(Judge(rules, Arp()), std::nullopt);
  Bytes cut = Udp("10.1.0.1", "10.2.0.1").Build();
  cut.resize(14 + 19);
  EXPECT_EQ(Judge(rules, cut), std::nullopt);
  rules.accept_sources = Set("0.0.0.0/0\n::/0");
  EXPECT_EQ(Judge(rules, Arp()), FilterReason::kNotAcceptedSource);
  EXPECT_EQ(Judge(rules, cut), FilterReason::kNotAcceptedSource);
}

TEST(FilterRules, CookedCapturesAndRawIpAreReadToo) {
  FilterRules rules;
  rules.ip_only = true;
  rules.accept_sources = Set("10.1.0.0/16");
  const auto judge = [&rules](PacketBuilder builder, const char* source, uint16_t link_type) {
    const Bytes bytes = builder.Ipv4(source, "10.2.0.1").Udp(1, 2).Build();
    return rules.WhyRefused(AsFrame(bytes, link_type));
  };
  for (const char* const source : {"10.1.0.1", "10.9.0.1"}) {
    const Reason wanted = source[3] == '1' ? Reason() : Reason(FilterReason::kNotAcceptedSource);
    EXPECT_EQ(judge(PacketBuilder().Sll(), source, link_type::kLinuxSll), wanted);
    EXPECT_EQ(judge(PacketBuilder().Sll2(), source, link_type::kLinuxSll2), wanted);
    EXPECT_EQ(judge(PacketBuilder(), source, link_type::kRaw), wanted);
  }
  EXPECT_FALSE(FilterRules::Reads(link_type::kPpp));
}

TEST(FilterRules, MatchingAllocatesNothing) {
  FilterRules rules;
  rules.ignore_destinations = Set("10.2.0.0/16\n10.4.0.0/16\n2001:db8::/32");
  const Bytes bytes = Udp("10.1.0.1", "10.2.0.1").Build();
  const Frame frame = AsFrame(bytes);
  const uint64_t before = Allocations();
  EXPECT_EQ(rules.WhyRefused(frame), FilterReason::kIgnoredDestination);
  EXPECT_EQ(Allocations(), before);
}

TEST(ParseVlans, ReadsIdsRangesAndUntagged) {
  const auto vlans = ParseVlans("7,100-102,untagged");
  ASSERT_TRUE(vlans.ok()) << vlans.status();
  EXPECT_EQ(vlans->count(), 5u);
  for (const size_t id : {0, 7, 100, 101, 102}) EXPECT_TRUE(vlans->test(id)) << id;
}

TEST(ParseVlans, ErrorsSayWhatToWrite) {
  for (const char* const text :
       {"", "0", "4095", "7-", "-7", "9-8", "7,,8", "1-2-3", "x", "+7", " 7"}) {
    EXPECT_THAT(std::string(ParseVlans(text).status().message()), HasSubstr("from 1 to 4094"))
        << text;
  }
}

TEST(ReadLists, ReadsBothOrLeavesTheRulesAsTheyWere) {
  const TemporaryFolder folder;
  const std::string ignore = folder.File("ignore");
  const std::string broken = folder.File("broken");
  WriteFile(ignore, "10.2.0.0/16\n");
  WriteFile(broken, "10.2.0.0/16\n10.3.0.1/16\n");
  FilterRules rules;
  ASSERT_TRUE(ReadLists(ignore, "", rules).ok());
  EXPECT_EQ(Judge(rules, Udp("10.1.0.1", "10.2.0.1").Build()), FilterReason::kIgnoredDestination);
  EXPECT_FALSE(rules.accept_sources.has_value());
  EXPECT_THAT(std::string(ReadLists(broken, ignore, rules).message()),
              HasSubstr("broken:2: \"10.3.0.1/16\" has host bits set; write 10.3.0.0/16"));
  EXPECT_EQ(Judge(rules, Udp("10.1.0.1", "10.2.0.1").Build()), FilterReason::kIgnoredDestination);
  EXPECT_FALSE(rules.accept_sources.has_value());
}

TEST(ReadLists, AnAcceptListWithoutANetworkIsAnError) {
  FilterRules rules;
  EXPECT_THAT(std::string(ReadLists("", "/dev/null", rules).message()),
              HasSubstr("nothing would pass"));
  EXPECT_TRUE(ReadLists("/dev/null", "", rules).ok());
}

}  // namespace
}  // namespace weir::test

#include "tools/weir/option_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

using testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(ApplyTimeouts, SetsWhatIsNamedAndNothingElse) {
  Timeouts timeouts;
  int64_t hole_ns = 1;
  const Timeouts before;
  ASSERT_TRUE(ApplyTimeouts("udp=1s,tcp=2min,syn=3s,closing=4s,closed=5s,icmp=6s,other=7s",
                            timeouts, hole_ns)
                  .ok());
  EXPECT_EQ(timeouts.udp, 1 * Timeouts::kSecond);
  EXPECT_EQ(timeouts.tcp_established, 120 * Timeouts::kSecond);
  EXPECT_EQ(timeouts.tcp_syn, 3 * Timeouts::kSecond);
  EXPECT_EQ(timeouts.tcp_closing, 4 * Timeouts::kSecond);
  EXPECT_EQ(timeouts.tcp_closed, 5 * Timeouts::kSecond);
  EXPECT_EQ(timeouts.icmp, 6 * Timeouts::kSecond);
  EXPECT_EQ(timeouts.other, 7 * Timeouts::kSecond);
  EXPECT_EQ(timeouts.tcp_unanswered, before.tcp_unanswered);
  EXPECT_EQ(timeouts.active, 0);
}

TEST(ApplyTimeouts, AllComesFirstWhereverItStands) {
  Timeouts timeouts;
  int64_t hole_ns = 1;
  ASSERT_TRUE(ApplyTimeouts("udp=1s,all=9s", timeouts, hole_ns).ok());
  EXPECT_EQ(timeouts.udp, 1 * Timeouts::kSecond);
  EXPECT_EQ(timeouts.tcp_established, 9 * Timeouts::kSecond);
  EXPECT_EQ(timeouts.active, 0) << "interim records must be asked for by name";
}

TEST(ApplyTimeouts, HoleIsThatOfStreams) {
  Timeouts timeouts;
  int64_t hole_ns = 1;
  ASSERT_TRUE(ApplyTimeouts("udp=5s", timeouts, hole_ns).ok());
  EXPECT_EQ(hole_ns, 1);
  ASSERT_TRUE(ApplyTimeouts("hole=0", timeouts, hole_ns).ok());
  EXPECT_EQ(hole_ns, 0);
  ASSERT_TRUE(ApplyTimeouts("hole=2s,all=9s", timeouts, hole_ns).ok());
  EXPECT_EQ(hole_ns, 2 * Timeouts::kSecond);
  ASSERT_TRUE(ApplyTimeouts("all=9s", timeouts, hole_ns).ok());
  EXPECT_EQ(hole_ns, 9 * Timeouts::kSecond);
}

TEST(ApplyTimeouts, ForeverIsCutSoThatTimesCanBeAdded) {
  Timeouts timeouts;
  int64_t hole_ns = 1;
  ASSERT_TRUE(ApplyTimeouts("all=100000d", timeouts, hole_ns).ok());
  EXPECT_EQ(timeouts.udp, kLongestTimeoutNs);
  constexpr int64_t kYear2100 = 4'102'444'800'000'000'000;
  EXPECT_LT(kLongestTimeoutNs, INT64_MAX - kYear2100);
}

TEST(ApplyTimeouts, ErrorsListTheNames) {
  Timeouts timeouts;
  int64_t hole_ns = 1;
  EXPECT_THAT(Message(ApplyTimeouts("tpc=5s", timeouts, hole_ns)),
              testing::AllOf(HasSubstr("'tpc' is none of: tcp, syn"), HasSubstr(", hole, all")));
  EXPECT_FALSE(ApplyTimeouts("udp", timeouts, hole_ns).ok());
  EXPECT_FALSE(ApplyTimeouts("udp=0", timeouts, hole_ns).ok());
  EXPECT_TRUE(ApplyTimeouts("active=0", timeouts, hole_ns).ok());
}

TEST(ParseOverlap, KnowsEveryPolicyAndListsThem) {
  for (const std::string_view name : kOverlapPolicyNames) {
    const auto policy = ParseOverlap(name);
    ASSERT_TRUE(policy.ok());
    EXPECT_EQ(Name(*policy), name);
  }
  EXPECT_THAT(Message(ParseOverlap("lunix").status()),
              HasSubstr("'lunix' is none of: first, last, bsd, "));
}

TEST(ParseStreamHoles, ZeroOrJoin) {
  EXPECT_EQ(*ParseStreamHoles("zero"), StreamHoles::kZero);
  EXPECT_EQ(*ParseStreamHoles("join"), StreamHoles::kJoin);
  EXPECT_THAT(Message(ParseStreamHoles("none").status()), HasSubstr("none of: zero, join"));
}

TEST(ParseDedup, Modes) {
  EXPECT_EQ(ParseDedup("off")->mode, DedupMode::kOff);
  EXPECT_EQ(ParseDedup("loopback")->mode, DedupMode::kLoopback);
  const DedupOptions content = *ParseDedup("content");
  EXPECT_EQ(content.mode, DedupMode::kContent);
  EXPECT_EQ(content.window_ns, 1'000'000);
  EXPECT_EQ(content.depth, 256u);
}

TEST(ParseDedup, EveryParameter) {
  const auto options =
      ParseDedup("content,window=5ms,depth=1M,ignore=mac+ttl+vlan+checksum,refresh=yes");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->window_ns, 5'000'000);
  EXPECT_EQ(options->depth, 1'000'000u);
  EXPECT_EQ(options->ignore, 0x0f);
  EXPECT_TRUE(options->refresh);
}

TEST(ParseDedup, WindowOfZeroIsNoTimeLimit) {
  EXPECT_EQ(ParseDedup("content,window=0,depth=255")->window_ns, 0);
}

TEST(ParseDedup, LoopbackTakesWindowAndDepthOnly) {
  EXPECT_TRUE(ParseDedup("loopback,window=2ms,depth=512").ok());
  EXPECT_THAT(Message(ParseDedup("loopback,ignore=mac").status()), HasSubstr("for content"));
}

TEST(ParseDedup, RefusesNonsense) {
  for (const char* text : {"on", "off,depth=1", "content,depth=0", "content,ignore=port",
                           "content,refresh=maybe", "content,wndow=1ms", "content,window=1"}) {
    EXPECT_FALSE(ParseDedup(text).ok()) << text;
  }
}

TEST(ParseKeyParts, BitsOfNames) {
  EXPECT_EQ(*ParseKeyParts("vlan"), key_part::kVlan);
  EXPECT_EQ(*ParseKeyParts("vni,outer"), key_part::kVni | key_part::kOuter);
  EXPECT_EQ(*ParseKeyParts("all"), key_part::kAll);
  EXPECT_THAT(Message(ParseKeyParts("teid").status()),
              HasSubstr("'teid' is none of: vlan, pppoe, vni, gre, outer, all"));
}

TEST(ParseKeyKind, Names) {
  EXPECT_EQ(*ParseKeyKind("five-tuple"), KeyKind::kFiveTuple);
  EXPECT_EQ(*ParseKeyKind("ip-pair"), KeyKind::kIpPair);
  EXPECT_EQ(*ParseKeyKind("mac-pair"), KeyKind::kMacPair);
  EXPECT_FALSE(ParseKeyKind("5tuple").ok());
}

}  // namespace
}  // namespace weir

#include "tools/load/command/traffic_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace weir::load {
namespace {

TEST(TrafficOptionsTest, SharesAreFractionsOrPercent) {
  EXPECT_DOUBLE_EQ(*ParseShare("5%"), 0.05);
  EXPECT_DOUBLE_EQ(*ParseShare("0.25"), 0.25);
  EXPECT_DOUBLE_EQ(*ParseShare("100%"), 1);
  for (const char* wrong : {"", "5", "101%", "-1%", "x", "5%%"})
    EXPECT_FALSE(ParseShare(wrong).ok()) << wrong;
}

TEST(TrafficOptionsTest, SizesHaveWeights) {
  const auto sizes = ParseSizes("64:7,1448");
  ASSERT_TRUE(sizes.ok()) << sizes.status();
  ASSERT_EQ(sizes->size(), 2u);
  EXPECT_EQ((*sizes)[0].bytes, 64u);
  EXPECT_EQ((*sizes)[0].weight, 7u);
  EXPECT_EQ((*sizes)[1].weight, 1u);
  EXPECT_EQ(ParseSizes("imix")->size(), 3u);
  for (const char* wrong : {"", "a", "64:", "64:0", "64,,5"})
    EXPECT_FALSE(ParseSizes(wrong).ok()) << wrong;
}

TEST(TrafficOptionsTest, RatesAreOfPacketsOrBits) {
  EXPECT_DOUBLE_EQ(ParseRate("500k")->packets_per_second, 5e5);
  EXPECT_DOUBLE_EQ(ParseRate("9.5Gbit")->bits_per_second, 9.5e9);
  for (const char* wrong : {"", "0", "fast", "1Gbyte", "-1"})
    EXPECT_FALSE(ParseRate(wrong).ok()) << wrong;
}

TEST(TrafficOptionsTest, TheCommandLineSetsTheProfile) {
  CLI::App app;
  TrafficProfile profile;
  AddTrafficOptions(app, profile);
  app.parse(
      "--seed 7 --packets 2M --flows 100k --popularity zipf=1.2 --reorder 5%,4 --vlans 5,7 "
      "--tunnels none,vxlan --frame imix --midstream --udp 10%");
  EXPECT_EQ(profile.seed, 7u);
  EXPECT_EQ(profile.packets, 2'000'000u);
  EXPECT_EQ(profile.flows, 100'000u);
  EXPECT_EQ(profile.popularity, Popularity::kZipf);
  EXPECT_DOUBLE_EQ(profile.zipf_exponent, 1.2);
  EXPECT_DOUBLE_EQ(profile.reorder, 0.05);
  EXPECT_EQ(profile.reorder_distance, 4u);
  EXPECT_THAT(profile.vlans, ::testing::ElementsAre(5, 7));
  EXPECT_THAT(profile.tunnels, ::testing::ElementsAre(TunnelKind::kNone, TunnelKind::kVxlan));
  EXPECT_EQ(profile.size_unit, SizeUnit::kFrame);
  EXPECT_FALSE(profile.handshake);
  EXPECT_DOUBLE_EQ(profile.udp, 0.1);
}

TEST(TrafficOptionsTest, AWrongValueSaysWhatWouldBeRight) {
  CLI::App app;
  TrafficProfile profile;
  AddTrafficOptions(app, profile);
  try {
    app.parse("--reorder much");
    FAIL() << "was taken";
  } catch (const CLI::ParseError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("write 5% or 0.05"));
  }
}

}  // namespace
}  // namespace weir::load

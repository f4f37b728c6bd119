#include "tools/weir/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(ParseSize, PowersOfTwoAndOfTen) {
  EXPECT_EQ(*ParseSize("1500"), 1500u);
  EXPECT_EQ(*ParseSize("64k"), 65536u);
  EXPECT_EQ(*ParseSize("64KiB"), 65536u);
  EXPECT_EQ(*ParseSize("64kB"), 64000u);
  EXPECT_EQ(*ParseSize("1MiB"), 1048576u);
  EXPECT_EQ(*ParseSize("1.5G"), 1610612736u);
  EXPECT_EQ(*ParseSize("0"), 0u);
}

TEST(ParseSize, RefusesWhatIsNone) {
  for (const char* text :
       {"", "k", "-1", "1x", "1 MiB", "0x10", "1e3", "nan", "inf", "99999999T"}) {
    EXPECT_FALSE(ParseSize(text).ok()) << text;
  }
}

TEST(ParseSize, ErrorShowsWhatWouldBeRight) {
  EXPECT_EQ(ParseSize("1x").status().message(), "'1x' is not a size: write 1500, 64k, 1MiB or 2GB");
}

TEST(ParseDuration, EveryUnit) {
  EXPECT_EQ(*ParseDuration("250us"), 250'000);
  EXPECT_EQ(*ParseDuration("1ms"), 1'000'000);
  EXPECT_EQ(*ParseDuration("60s"), 60'000'000'000);
  EXPECT_EQ(*ParseDuration("5min"), 300'000'000'000);
  EXPECT_EQ(*ParseDuration("5m"), 300'000'000'000);
  EXPECT_EQ(*ParseDuration("2h"), 7'200'000'000'000);
  EXPECT_EQ(*ParseDuration("1d"), 86'400'000'000'000);
  EXPECT_EQ(*ParseDuration("0.5s"), 500'000'000);
  EXPECT_EQ(*ParseDuration("0"), 0);
}

TEST(ParseDuration, VeryLongFits) {
  EXPECT_EQ(*ParseDuration("100000d"), 8'640'000'000'000'000'000);
}

TEST(ParseDuration, RefusesANumberWithoutUnitAndTooMuch) {
  for (const char* text : {"5", "", "s", "-1s", "1y", "200000d", "5 s"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

TEST(ParseCount, ThousandsAndMillions) {
  EXPECT_EQ(*ParseCount("100k"), 100'000u);
  EXPECT_EQ(*ParseCount("1M"), 1'000'000u);
  EXPECT_EQ(*ParseCount("17"), 17u);
  EXPECT_FALSE(ParseCount("1MiB").ok());
}

TEST(ParseRotate, SizeOrTime) {
  EXPECT_EQ(ParseRotate("100MiB")->bytes, 100u << 20);
  EXPECT_EQ(ParseRotate("100MiB")->age_ns, 0);
  EXPECT_EQ(ParseRotate("1h")->age_ns, 3'600'000'000'000);
  EXPECT_EQ(ParseRotate("1h")->bytes, 0u);
}

TEST(ParseRotate, RefusesWhatCouldBeBothAndZero) {
  for (const char* text : {"5m", "0", "0s", "big"}) EXPECT_FALSE(ParseRotate(text).ok()) << text;
}

TEST(ParseList, SplitsAtCommas) {
  EXPECT_THAT(*ParseList("a,b,c"), testing::ElementsAre("a", "b", "c"));
  EXPECT_THAT(*ParseList("a"), testing::ElementsAre("a"));
}

TEST(ParseList, RefusesEmptyParts) {
  for (const char* text : {"", ",", "a,", ",a", "a,,b"}) EXPECT_FALSE(ParseList(text).ok()) << text;
}

TEST(SplitPair, AtTheFirstEquals) {
  EXPECT_EQ(SplitPair("a=b=c"), (std::pair<std::string_view, std::string_view>("a", "b=c")));
  EXPECT_EQ(SplitPair("a"), (std::pair<std::string_view, std::string_view>("a", "")));
}

}  // namespace
}  // namespace weir

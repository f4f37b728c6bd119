#include "rings/cidr_set.h"

#include <arpa/inet.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

std::vector<uint8_t> Address(const std::string& text) {
  std::vector<uint8_t> bytes(text.find(':') != std::string::npos ? 16 : 4);
  EXPECT_EQ(inet_pton(bytes.size() == 16 ? AF_INET6 : AF_INET, text.c_str(), bytes.data()), 1);
  return bytes;
}

bool Contains(const CidrSet& set, const std::string& text) {
  const std::vector<uint8_t> address = Address(text);
  return address.size() == 16 ? set.ContainsIpv6(address.data()) : set.ContainsIpv4(address.data());
}

std::string ErrorOf(std::string_view text) {
  return std::string(CidrSet::Parse(text, "nets.txt").status().message());
}

TEST(CidrSet, HoldsWhatTheFileSays) {
  const auto set =
      CidrSet::Parse("# office\n10.0.0.0/8\r\n\n  192.0.2.7 # one host\n2001:db8::/32\n", "f");
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_TRUE(Contains(*set, "10.0.0.0"));
  EXPECT_TRUE(Contains(*set, "10.255.255.255"));
  EXPECT_FALSE(Contains(*set, "11.0.0.0"));
  EXPECT_FALSE(Contains(*set, "9.255.255.255"));
  EXPECT_TRUE(Contains(*set, "192.0.2.7"));
  EXPECT_FALSE(Contains(*set, "192.0.2.8"));
  EXPECT_TRUE(Contains(*set, "2001:db8:ffff::1"));
  EXPECT_FALSE(Contains(*set, "2001:db9::"));
}

TEST(CidrSet, ZeroLengthIsEverythingOfItsFamily) {
  const auto set = CidrSet::Parse("0.0.0.0/0\n", "f");
  ASSERT_TRUE(set.ok());
  EXPECT_TRUE(Contains(*set, "255.255.255.255"));
  EXPECT_FALSE(Contains(*set, "::1"));
}

TEST(CidrSet, ErrorsNameFileLineAndFault) {
  EXPECT_THAT(ErrorOf("10.0.0.0/8\n10.0.0.1/8\n"),
              HasSubstr("nets.txt:2: \"10.0.0.1/8\" has host bits set; write 10.0.0.0/8"));
  EXPECT_THAT(ErrorOf("2001:db8::1/64"), HasSubstr("write 2001:db8::/64"));
  EXPECT_THAT(ErrorOf("\n\nhello/8"), HasSubstr("nets.txt:3: \"hello\" is no address"));
  EXPECT_THAT(ErrorOf("10.0.0.0/33"), HasSubstr("from 0 to 32"));
  EXPECT_THAT(ErrorOf("10.0.0.0/"), HasSubstr("prefix length"));
  EXPECT_THAT(ErrorOf("10.0.0.0/8x"), HasSubstr("prefix length"));
}

TEST(CidrSet, EqualsANaiveModelOnRandomNetworks) {
  std::mt19937 random(1);
  for (int round = 0; round < 100; ++round) {
    std::vector<std::pair<uint32_t, int>> networks;
    std::string text;
    for (int i = 0; i < 40; ++i) {
      const int length = static_cast<int>(1 + random() % 32);
      // Few leading bits, so that networks nest and touch.
      const uint32_t network = (random() & 0xc0f000ff) & ~((uint64_t{1} << (32 - length)) - 1);
      networks.emplace_back(network, length);
      in_addr address = {htonl(network)};
      absl::StrAppend(&text, inet_ntoa(address), "/", length, "\n");
    }
    const auto set = CidrSet::Parse(text, "f");
    ASSERT_TRUE(set.ok()) << set.status();
    for (int i = 0; i < 2000; ++i) {
      const auto& near = networks[random() % networks.size()];
      const uint32_t address = i % 2 == 0 ? random() & 0xc0f000ff : near.first + random() % 5 - 2;
      bool wanted = false;
      for (const auto& [network, length] : networks)
        wanted |= (address ^ network) >> (32 - length) == 0;
      const uint32_t bytes = htonl(address);
      ASSERT_EQ(set->ContainsIpv4(reinterpret_cast<const uint8_t*>(&bytes)), wanted) << address;
    }
  }
}

// The networks' text, one on each line.
std::string TextOf(const CidrSet& set) {
  std::string text;
  for (const CidrSet::Network& network : set.Networks()) {
    char address[INET6_ADDRSTRLEN] = "";
    inet_ntop(network.ipv6 ? AF_INET6 : AF_INET, network.address, address, sizeof address);
    absl::StrAppend(&text, address, "/", network.length, "\n");
  }
  return text;
}

TEST(CidrSet, NetworksAreTheFewestThatMakeTheSet) {
  EXPECT_EQ(TextOf(*CidrSet::Parse("10.0.0.0/9\n10.128.0.0/9\n10.1.0.0/16\n", "f")),
            "10.0.0.0/8\n");
  EXPECT_EQ(TextOf(*CidrSet::Parse("10.0.0.1\n10.0.0.2\n10.0.0.3\n", "f")),
            "10.0.0.1/32\n10.0.0.2/31\n");
  EXPECT_EQ(TextOf(*CidrSet::Parse("0.0.0.0/0\n::/0\n", "f")), "0.0.0.0/0\n::/0\n");
  EXPECT_EQ(TextOf(*CidrSet::Parse("ffff::/16\n2001:db8::/33\n2001:db8:8000::/33\n", "f")),
            "2001:db8::/32\nffff::/16\n");
  EXPECT_EQ(TextOf(*CidrSet::Parse("255.255.255.255\n255.255.255.254\n", "f")),
            "255.255.255.254/31\n");
}

TEST(CidrSet, ReadingItsNetworksAgainMakesTheSameSet) {
  std::mt19937 random(2);
  for (int round = 0; round < 50; ++round) {
    std::string text;
    for (int i = 0; i < 60; ++i) {
      const int length = 1 + static_cast<int>(random() % 32);
      in_addr address = {htonl(
          static_cast<uint32_t>((random() & 0xf00000ff) & ~((uint64_t{1} << (32 - length)) - 1)))};
      absl::StrAppend(&text, inet_ntoa(address), "/", length, "\n");
    }
    const std::string networks = TextOf(*CidrSet::Parse(text, "f"));
    EXPECT_EQ(TextOf(*CidrSet::Parse(networks, "f")), networks);
    const auto set = CidrSet::Parse(text, "f"), again = CidrSet::Parse(networks, "f");
    const auto ranges = set->Ipv4Ranges(), same = again->Ipv4Ranges();
    ASSERT_EQ(ranges.size(), same.size());
    for (size_t i = 0; i < ranges.size(); ++i) {
      EXPECT_EQ(ranges[i].first, same[i].first);
      EXPECT_EQ(ranges[i].last, same[i].last);
    }
  }
}

TEST(CidrSet, MoreNetworksThanThereIsRoomForAreAnError) {
  std::string text;
  for (size_t i = 0; i <= CidrSet::kMostNetworks; ++i) text += "::\n";
  EXPECT_THAT(ErrorOf(text), HasSubstr("nets.txt:1048577: more than 1048576 networks"));
}

TEST(CidrSet, AFileThatIsNotThereIsNamed) {
  EXPECT_THAT(std::string(CidrSet::ReadFile("/nowhere").status().message()), HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace weir

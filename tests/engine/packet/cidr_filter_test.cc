#include "engine/packet/cidr_filter.h"

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

class CidrFilterTest : public ::testing::Test {
 protected:
  static CidrSet Set(std::string_view text) { return *CidrSet::Parse(text, "f"); }
  // The verdict on a packet; an empty source is a frame without IP.
  static Verdict Judge(CidrFilter filter, const std::string& source,
                       const std::string& destination) {
    Packet packet;
    const std::vector<uint8_t> from = Address(source.empty() ? "0.0.0.0" : source);
    const std::vector<uint8_t> to = Address(destination.empty() ? "0.0.0.0" : destination);
    packet.verdict = source.empty() ? Verdict::kNotIp : Verdict::kTracked;
    if (!source.empty()) {
      packet.source = from.data();
      packet.destination = to.data();
      packet.family = from.size() == 16 ? AddressFamily::kIpv6 : AddressFamily::kIpv4;
    }
    Frame frame;
    filter.Apply({&frame, 1}, {&packet, 1});
    return packet.verdict;
  }
};

TEST_F(CidrFilterTest, AcceptsBySource) {
  const CidrFilter filter(Set("10.0.0.0/8\n2001:db8::/32"), std::nullopt);
  EXPECT_EQ(Judge(filter, "10.1.1.1", "8.8.8.8"), Verdict::kTracked);
  EXPECT_EQ(Judge(filter, "8.8.8.8", "10.1.1.1"), Verdict::kFiltered);
  EXPECT_EQ(Judge(filter, "2001:db8::1", "::1"), Verdict::kTracked);
  EXPECT_EQ(Judge(filter, "", ""), Verdict::kFiltered);
}

TEST_F(CidrFilterTest, IgnoresByDestination) {
  const CidrFilter filter(std::nullopt, Set("10.0.0.0/8"));
  EXPECT_EQ(Judge(filter, "10.1.1.1", "8.8.8.8"), Verdict::kTracked);
  EXPECT_EQ(Judge(filter, "8.8.8.8", "10.1.1.1"), Verdict::kFiltered);
  EXPECT_EQ(Judge(filter, "", ""), Verdict::kNotIp);
}

TEST_F(CidrFilterTest, MissingAndEmptyFilesAreErrors) {
  EXPECT_THAT(std::string(CidrFilter::FromFiles("/nowhere", "").status().message()),
              HasSubstr("/nowhere"));
  EXPECT_THAT(std::string(CidrFilter::FromFiles("/dev/null", "").status().message()),
              HasSubstr("nothing would pass"));
  EXPECT_TRUE(CidrFilter::FromFiles("", "/dev/null").ok());
}

}  // namespace
}  // namespace weir

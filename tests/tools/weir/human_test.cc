#include "tools/weir/human.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Human, Count) {
  EXPECT_EQ(HumanCount(0), "0");
  EXPECT_EQ(HumanCount(999), "999");
  EXPECT_EQ(HumanCount(1000), "1,000");
  EXPECT_EQ(HumanCount(1234567), "1,234,567");
}

TEST(Human, Bytes) {
  EXPECT_EQ(HumanBytes(999), "999 B");
  EXPECT_EQ(HumanBytes(1000), "1.00 kB");
  EXPECT_EQ(HumanBytes(123456), "123 kB");
  EXPECT_EQ(HumanBytes(999999), "1.00 MB");
  EXPECT_EQ(HumanBytes(45'600'000'000), "45.6 GB");
}

TEST(Human, Rates) {
  EXPECT_EQ(HumanRate(812.4), "812");
  EXPECT_EQ(HumanRate(12'340), "12.3 k");
  EXPECT_EQ(HumanBitRate(98.7e6), "98.7 Mbit/s");
}

TEST(Human, Durations) {
  EXPECT_EQ(HumanDuration(0), "0 ns");
  EXPECT_EQ(HumanDuration(9'999), "9999 ns");
  EXPECT_EQ(HumanDuration(10'500), "10 us");
  EXPECT_EQ(HumanDuration(450'000'000), "450 ms");
  EXPECT_EQ(HumanDuration(12'300'000'000), "12.3 s");
  EXPECT_EQ(HumanDuration(312'000'000'000), "5 min 12 s");
  EXPECT_EQ(HumanDuration(11'040'000'000'000), "3 h 04 min");
  EXPECT_EQ(HumanDuration(183'600'000'000'000), "2 d 03 h");
}

TEST(Human, ShareNeverRoundsSomethingToNothingOrToAll) {
  EXPECT_EQ(HumanShare(1, 8), "12.5 %");
  EXPECT_EQ(HumanShare(1, 1'000'000), "<0.1 %");
  EXPECT_EQ(HumanShare(999'999, 1'000'000), ">99.9 %");
  EXPECT_EQ(HumanShare(5, 5), "100.0 %");
  EXPECT_EQ(HumanShare(0, 0), "");
}

TEST(Human, FlowNamesBothEnds) {
  FlowRecord record;
  FlowKey& key = record.key;
  key.family = AddressFamily::kIpv4;
  key.protocol = ip_protocol::kTcp;
  inet_pton(AF_INET, "10.0.0.1", key.source.data());
  inet_pton(AF_INET, "10.0.0.2", key.destination.data());
  key.source_port = 40000;
  key.destination_port = 443;
  EXPECT_EQ(HumanFlow(record), "TCP 10.0.0.1:40000 > 10.0.0.2:443");
}

TEST(Human, Ipv6PortsStandBehindBrackets) {
  FlowKey key;
  key.family = AddressFamily::kIpv6;
  key.protocol = ip_protocol::kUdp;
  inet_pton(AF_INET6, "2001:db8::1", key.source.data());
  key.source_port = 53;
  EXPECT_EQ(HumanEndpoint(key, 0), "[2001:db8::1]:53");
}

TEST(Human, AnEchoIdentifierIsNoPort) {
  FlowKey key;
  key.family = AddressFamily::kIpv4;
  key.protocol = ip_protocol::kIcmp;
  key.source_port = key.destination_port = 77;
  EXPECT_EQ(HumanEndpoint(key, 1), "0.0.0.0");
}

TEST(Human, ColumnsKeepWhatIsLonger) {
  EXPECT_EQ(Left("ab", 4), "ab  ");
  EXPECT_EQ(Right("ab", 4), "  ab");
  EXPECT_EQ(Left("abcdef", 4), "abcdef");
}

}  // namespace
}  // namespace weir

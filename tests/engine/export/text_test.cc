#include "engine/export/text.h"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

TEST(AddressText, Ipv4) {
  const uint8_t bytes[] = {10, 0, 200, 255};
  EXPECT_EQ(TextOfAddress(AddressFamily::kIpv4, bytes).view(), "10.0.200.255");
}

TEST(AddressText, Ipv6IsShort) {
  const uint8_t bytes[16] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  EXPECT_EQ(TextOfAddress(AddressFamily::kIpv6, bytes).view(), "2001:db8::1");
}

TEST(AddressText, Mac) {
  const uint8_t bytes[] = {0, 0x1b, 0xff, 9, 0xa0, 0x0f};
  EXPECT_EQ(TextOfAddress(AddressFamily::kMac, bytes).view(), "00:1b:ff:09:a0:0f");
}

TEST(ProtocolText, KnownAndUnknown) {
  EXPECT_EQ(TextOfProtocol(6).view(), "TCP");
  EXPECT_EQ(TextOfProtocol(58).view(), "IPv6-ICMP");
  EXPECT_EQ(TextOfProtocol(7).view(), "007");
  EXPECT_EQ(TextOfProtocol(254).view(), "254");
}

TEST(Timestamp, HasMicrosecondsAndZone) {
  TimestampFormatter formatter;
  EXPECT_EQ(formatter.Format(1'706'702'400'000'001'999).view(), "2024-01-31T12:00:00.000001+0000");
}

TEST(Timestamp, DaysMayGoBack) {
  TimestampFormatter formatter;
  EXPECT_EQ(formatter.Format(951'868'799'999'999'000).view(), "2000-02-29T23:59:59.999999+0000");
  EXPECT_EQ(formatter.Format(951'868'800'000'000'000).view(), "2000-03-01T00:00:00.000000+0000");
  EXPECT_EQ(formatter.Format(0).view(), "1970-01-01T00:00:00.000000+0000");
}

TEST(Timestamp, BeforeTheEpoch) {
  TimestampFormatter formatter;
  EXPECT_EQ(formatter.Format(-1000).view(), "1969-12-31T23:59:59.999999+0000");
}

}  // namespace
}  // namespace weir

// The vectors are those of the specification's reference implementation.
#include "engine/export/community_id.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

FlowKey Key(AddressFamily family, uint8_t protocol, const char* source, uint16_t source_port,
            const char* destination, uint16_t destination_port) {
  FlowKey key;
  key.family = family;
  key.protocol = protocol;
  key.source_port = source_port;
  key.destination_port = destination_port;
  const int domain = family == AddressFamily::kIpv4 ? AF_INET : AF_INET6;
  EXPECT_EQ(inet_pton(domain, source, key.source.data()), 1);
  EXPECT_EQ(inet_pton(domain, destination, key.destination.data()), 1);
  return key;
}

std::string Id(const FlowKey& key, uint8_t icmp_type = 0, uint8_t icmp_code = 0) {
  return std::string(CommunityIdOf(key, icmp_type, icmp_code).view());
}

constexpr AddressFamily k4 = AddressFamily::kIpv4;
constexpr AddressFamily k6 = AddressFamily::kIpv6;

TEST(CommunityId, TcpIsTheSameFromBothSides) {
  EXPECT_EQ(Id(Key(k4, 6, "128.232.110.120", 34855, "66.35.250.204", 80)),
            "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
  EXPECT_EQ(Id(Key(k4, 6, "66.35.250.204", 80, "128.232.110.120", 34855)),
            "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
}

TEST(CommunityId, Udp) {
  EXPECT_EQ(Id(Key(k4, 17, "192.168.1.52", 54585, "8.8.8.8", 53)),
            "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
}

TEST(CommunityId, Sctp) {
  EXPECT_EQ(Id(Key(k4, 132, "192.168.170.56", 80, "192.168.170.8", 7)),
            "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=");
}

TEST(CommunityId, TcpOverIpv6) {
  EXPECT_EQ(Id(Key(k6, 6, "2001:db8::1", 443, "2001:db8::2", 51000)),
            "1:2TiKiiiSIuDma9IxOEOpx4wCXWM=");
}

TEST(CommunityId, IcmpEchoIgnoresTheIdentifierInThePorts) {
  EXPECT_EQ(Id(Key(k4, 1, "192.168.0.89", 77, "192.168.0.1", 77), 8, 0),
            "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
  EXPECT_EQ(Id(Key(k4, 1, "192.168.0.1", 77, "192.168.0.89", 77), 0, 0),
            "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
}

TEST(CommunityId, IcmpWithoutAnAnswerHasItsCode) {
  EXPECT_EQ(Id(Key(k4, 1, "192.168.0.89", 0, "192.168.0.1", 0), 20, 1),
            "1:tz/fHIDUHs19NkixVVoOZywde+I=");
}

TEST(CommunityId, Icmpv6NeighbourSolicitation) {
  EXPECT_EQ(Id(Key(k6, 58, "fe80::200:86ff:fe05:80da", 0, "fe80::260:97ff:fe07:69ea", 0), 135, 0),
            "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=");
}

TEST(CommunityId, ProtocolsWithoutPortsLeaveThemOut) {
  const FlowKey with_ports = Key(k4, 47, "10.0.0.1", 1, "10.0.0.2", 2);
  const FlowKey without = Key(k4, 47, "10.0.0.1", 0, "10.0.0.2", 0);
  EXPECT_EQ(Id(with_ports), Id(without));
}

}  // namespace
}  // namespace weir

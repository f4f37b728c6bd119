// Frames and rules that meet often: few networks, few VLANs, every way to stand in front of an IP
// header, and every way to break it.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "rings/filter_rules.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

class FilterFrames {
 public:
  explicit FilterFrames(uint32_t seed) : random_(seed) {}

  // Ethernet: VLAN tags (up to six, priority tags too), IPv4 and IPv6 with fragments, options and
  // extension headers, tunnels, ARP, LLC, MPLS, PPPoE; every fourth one cut short or with bytes
  // changed; some are noise. At least 14 bytes.
  Bytes Next();

  // Each rule is there or not; lists with `networks` networks of each family at most.
  FilterRules Rules(uint32_t networks = 8);

 private:
  uint32_t Below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }
  std::string Ipv4Text();
  std::string Ipv6Text();
  CidrSet Networks(uint32_t most);
  void Ip(PacketBuilder& builder, int depth);
  void Behind(PacketBuilder& builder, int depth);

  std::mt19937 random_;
};

}  // namespace weir::test

#include "tests/support/filter_frames.h"

#include "absl/strings/str_cat.h"

namespace weir::test {

std::string FilterFrames::Ipv4Text() {
  return absl::StrCat("10.", Below(3), ".0.", Below(4) * 64 + Below(3));
}

std::string FilterFrames::Ipv6Text() {
  return absl::StrCat("2001:db8:", Below(3), "::", Below(4) * 3000 + Below(3));
}

// Prefix lengths from the host's own to very short ones.
CidrSet FilterFrames::Networks(uint32_t most) {
  constexpr int kIpv4Lengths[] = {32, 31, 30, 26, 24, 16, 15, 9, 1, 0};
  constexpr int kIpv6Lengths[] = {128, 127, 116, 112, 64, 48, 47, 33, 3, 0};
  std::string text;
  for (uint32_t i = Below(most + 1); i > 0; --i) {
    const int length = kIpv4Lengths[Below(Below(3) == 0 ? 10 : 6)];
    const Bytes address = Ipv4Address(Ipv4Text());
    uint64_t value = 0;
    for (const uint8_t byte : address) value = value << 8 | byte;
    value &= ~((uint64_t{1} << (32 - length)) - 1);
    absl::StrAppend(&text, value >> 24 & 255, ".", value >> 16 & 255, ".", value >> 8 & 255, ".",
                    value & 255, "/", length, "\n");
  }
  for (uint32_t i = Below(most + 1); i > 0; --i) {
    const int length = kIpv6Lengths[Below(Below(3) == 0 ? 10 : 6)];
    Bytes address = Ipv6Address(Ipv6Text());
    for (int bit = length; bit < 128; ++bit) {
      address[static_cast<size_t>(bit) / 8] &= static_cast<uint8_t>(~(0x80 >> bit % 8));
    }
    for (size_t at = 0; at < 16; at += 2) {
      absl::StrAppend(&text, at > 0 ? ":" : "", absl::Hex(address[at] << 8 | address[at + 1]));
    }
    absl::StrAppend(&text, "/", length, "\n");
  }
  return *CidrSet::Parse(text, "networks");
}

FilterRules FilterFrames::Rules(uint32_t networks) {
  FilterRules rules;
  rules.ip_only = Below(2) == 0;
  if (Below(2) == 0) {
    rules.vlans.emplace();
    for (uint32_t i = Below(3); i > 0; --i) rules.vlans->set(Below(6));
    rules.vlans->set(Below(2) * 4094);
  }
  if (Below(2) == 0) rules.ignore_destinations = Networks(networks);
  if (Below(2) == 0) rules.accept_sources = Networks(networks);
  return rules;
}

Bytes FilterFrames::Next() {
  PacketBuilder builder;
  builder.Ethernet();
  if (Below(12) == 0) builder.Llc();
  for (uint32_t i = Below(4) == 0 ? Below(7) : Below(3); i > 0; --i) {
    constexpr uint16_t kTypes[] = {0x8100, 0x8100, 0x88a8, 0x9100};
    builder.Vlan(static_cast<uint16_t>(Below(3) == 0 ? 0 : Below(6)), kTypes[Below(4)],
                 static_cast<uint8_t>(Below(8)));
  }
  switch (Below(16)) {
    case 0:
      builder.Raw(Bytes(28, 1), 0x0806);
      break;
    case 1:
      Ip(builder.Mpls(100), 0);
      break;
    case 2:
      Ip(builder.Pppoe(7), 0);
      break;
    default:
      Ip(builder, 2);
  }
  Bytes frame = builder.Payload(Below(40)).Build();
  const uint32_t fate = Below(16);
  if (fate == 0) frame.resize(std::max<size_t>(14, Below(static_cast<uint32_t>(frame.size()))));
  if (fate == 1) frame[Below(static_cast<uint32_t>(frame.size()))] ^= 1u << Below(8);
  if (fate == 2) frame.resize(std::max<size_t>(14, 10 + Below(70)));
  if (fate == 3) {
    for (size_t i = 12; i < frame.size(); ++i) frame[i] = static_cast<uint8_t>(random_());
  }
  return frame;
}

void FilterFrames::Ip(PacketBuilder& builder, int depth) {
  if (Below(2) == 0) {
    builder.Ipv4(Ipv4Text(), Ipv4Text());
    if (Below(6) == 0) builder.Ipv4Options(Bytes(4 * Below(4), 1));
    if (Below(6) == 0) {
      builder.Ipv4Fragment(7, Below(2) * 64, Below(2) == 0);
      return;
    }
  } else {
    builder.Ipv6(Ipv6Text(), Ipv6Text());
    if (Below(4) == 0) builder.HopByHop();
    if (Below(4) == 0) builder.DestinationOptions(16);
    if (Below(4) == 0) builder.Routing();
    if (Below(6) == 0) {
      builder.Fragment(7, Below(2) * 64, Below(2) == 0);
      return;
    }
  }
  Behind(builder, depth);
}

void FilterFrames::Behind(PacketBuilder& builder, int depth) {
  switch (Below(depth > 0 ? 8 : 4)) {
    case 0:
      builder.Udp(1000, 53);
      break;
    case 1:
      builder.Icmp(8, 0);
      break;
    case 4:
      Ip(builder.Gre(), depth - 1);
      break;
    case 5:
      Ip(builder.Udp(1, 4789).Vxlan(7).Ethernet(), depth - 1);
      break;
    case 6:
      Ip(builder, depth - 1);
      break;
    default:
      builder.Tcp(80, 1000);
  }
}

}  // namespace weir::test

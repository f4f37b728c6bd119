// Link layers that end in an EtherType: Ethernet and its tags, LLC, cooked captures; and raw IP.
#include "engine/packet/decode_state.h"

namespace weir::decode {
namespace {

constexpr uint16_t kFirstEtherType = 0x0600;  // below it, the field is a length: IEEE 802.3 3.2.6

// 802.1Q, 802.1ad and what stood for the latter before it was one.
bool IsTag(uint16_t type) { return type == 0x8100 || type == 0x88a8 || type == 0x9100; }

// The tags of one Ethernet header, then what they announce.
void Tags(State& state, Slice in, uint16_t type) {
  while (IsTag(type)) {
    if (!in.Has(4)) return state.Malformed(Malformed::kLinkTruncated);
    Tag(state, Load16(in.data));
    type = Load16(in.data + 2);
    in = in.From(4);
  }
  if (type < kFirstEtherType) return LlcSnap(state, in.First(type));
  EtherType(state, in, type);
}

// A tag that is no VLAN, `size` bytes with the next EtherType at their end.
void OtherTag(State& state, Slice in, uint32_t size) {
  if (!in.Has(size)) return state.Malformed(Malformed::kLinkTruncated);
  if (!state.Descend()) return;
  Tags(state, in.From(size), Load16(in.data + size - 2));
}

// 802.1ah: the service instance, then the customer's Ethernet header.
void BackboneService(State& state, Slice in) {
  if (!in.Has(4)) return state.Malformed(Malformed::kLinkTruncated);
  state.packet.label = Load24(in.data + 1);
  Ethernet(state, in.From(4));
}

// 4 bytes of address family: the host's order from BSD and Darwin, the network's from OpenBSD, 2
// bytes in front from IRIX. Some write an EtherType instead.
void AddressFamilyLink(State& state, Slice in) {
  if (!in.Has(4)) return state.Malformed(Malformed::kLinkTruncated);
  if (in.data[0] == 0xff && in.data[1] == 0x03) return Ppp(state, in);
  uint32_t family = LoadNative<uint32_t>(in.data);
  if ((family & 0xffff0000) != 0) {
    const bool two_bytes = family < 0x00060000;
    family = two_bytes ? family >> 16 : __builtin_bswap32(family);
  }
  in = in.From(4);
  if (family == 2) return Ipv4(state, in);
  const bool is_ipv6 = family == 10 || family == 24 || family == 28 || family == 30;
  if (is_ipv6) return Ipv6(state, in);
  if (family >= kFirstEtherType) EtherType(state, in, static_cast<uint16_t>(family));
}

// Linux cooked capture: a header of `size` bytes with the protocol at `at`.
void Cooked(State& state, Slice in, uint32_t size, uint32_t at) {
  constexpr uint16_t kLlcFrame = 4;
  if (!in.Has(size)) return state.Malformed(Malformed::kLinkTruncated);
  const uint16_t protocol = Load16(in.data + at);
  if (protocol == kLlcFrame) return LlcSnap(state, in.From(size));
  EtherType(state, in.From(size), protocol);
}

// Frame control, two addresses, LLC (ANSI X3.139).
void Fddi(State& state, Slice in) {
  if (!in.Has(13)) return state.Malformed(Malformed::kLinkTruncated);
  if (state.options.mac_addresses && state.packet.family == AddressFamily::kNone) {
    state.packet.destination = in.data + 1;
    state.packet.source = in.data + 7;
    state.packet.family = AddressFamily::kMac;
  }
  if ((in.data[0] & 0x70) == 0x50) LlcSnap(state, in.From(13));
}

}  // namespace

void Tag(State& state, uint16_t tci) {
  Packet& packet = state.packet;
  const uint16_t id = tci & 0x0fff;
  if (packet.vlan_count < 2) packet.vlan[packet.vlan_count] = id;
  if (packet.vlan_count < 0xff) ++packet.vlan_count;
  if (id == 0 || !state.Keys(key_part::kVlan)) return;  // 0 is a priority without a VLAN
  const uint8_t bytes[2] = {static_cast<uint8_t>(id >> 8), static_cast<uint8_t>(id)};
  state.path.Append(PathElement::kVlan, bytes, sizeof bytes);
}

void Ethernet(State& state, Slice in) {
  if (!in.Has(14)) return state.Malformed(Malformed::kLinkTruncated);
  if (!state.Descend()) return;
  if (state.options.mac_addresses && state.packet.family == AddressFamily::kNone) {
    state.packet.destination = in.data;
    state.packet.source = in.data + 6;
    state.packet.family = AddressFamily::kMac;
  }
  Tags(state, in.From(14), Load16(in.data + 12));
}

void EtherType(State& state, Slice in, uint16_t type) {
  switch (type) {
    case 0x0800:
      return Ipv4(state, in);
    case 0x86dd:
      return Ipv6(state, in);
    case 0x8847:
    case 0x8848:
      return Mpls(state, in);
    case 0x8864:
      return PppoeSession(state, in);
    case 0x880b:
      return Ppp(state, in);
    case 0x6558:  // transparent Ethernet bridging: RFC 1701
      return Ethernet(state, in);
    case 0x88e7:
      return BackboneService(state, in);
    case 0x894f:
      return NetworkServiceHeader(state, in);
    case 0x8909:  // Cisco metadata: version, length, option, security group tag
      return OtherTag(state, in, 8);
    case 0x8903:  // Cisco FabricPath: tag and TTL, then the frame
      if (!in.Has(2)) return state.Malformed(Malformed::kLinkTruncated);
      return Ethernet(state, in.From(2));
    case 0x893f:  // 802.1BR E-tag
      return OtherTag(state, in, 8);
    case 0x8926:  // VN-tag
      return OtherTag(state, in, 6);
    default:
      if (IsTag(type)) Tags(state, in, type);
  }
}

bool LooksLikeEthernet(Slice in) {
  if (!in.Has(14 + 4 + 20)) return false;
  const uint32_t at = IsTag(Load16(in.data + 12)) ? 18 : 14;
  const uint16_t type = Load16(in.data + at - 2);
  const uint8_t first = in.data[at];
  return (type == 0x0800 && first >= 0x45 && first <= 0x4f) || (type == 0x86dd && first >> 4 == 6);
}

// IEEE 802.2; RFC 1042.
void LlcSnap(State& state, Slice in) {
  if (!in.Has(3)) return;
  if (in.data[0] == 0x06 && in.data[1] == 0x06) return Ipv4(state, in.From(3));
  if (in.data[0] != 0xaa || in.data[1] != 0xaa || !in.Has(8)) return;
  const uint32_t organization = Load24(in.data + 3);
  const uint16_t type = Load16(in.data + 6);
  const bool is_ether_type =
      organization == 0 || organization == 0x0000f8 || organization == 0x080007;
  if (is_ether_type) return EtherType(state, in.From(8), type);
  const bool is_bridged_ethernet = organization == 0x0080c2 && (type == 1 || type == 7);
  if (is_bridged_ethernet) return Ethernet(state, in.From(8));
}

void Link(State& state, Slice in, uint32_t link_type) {
  switch (link_type) {
    case link_type::kEthernet:
      return Ethernet(state, in);
    case link_type::kNull:
    case link_type::kLoop:
      return AddressFamilyLink(state, in);
    case link_type::kRaw:
    case link_type::kRawBsd:
    case link_type::kRawOpenBsd:
      return IpByVersion(state, in);
    case link_type::kIpv4:
      return Ipv4(state, in);
    case link_type::kIpv6:
      return Ipv6(state, in);
    case link_type::kLinuxSll:
      return Cooked(state, in, 16, 14);
    case link_type::kLinuxSll2:
      return Cooked(state, in, 20, 0);
    case link_type::kPpp:
    case link_type::kPppHdlc:
      return Ppp(state, in);
    case link_type::kPppEther:
      return PppoeSession(state, in);
    case link_type::kCiscoHdlc:
      return CiscoHdlc(state, in);
    case link_type::kFrameRelay:
      return FrameRelay(state, in);
    case link_type::kFddi:
      return Fddi(state, in);
    case link_type::kIeee80211:
      return Ieee80211(state, in);
    case link_type::kRadiotap:
      return Radiotap(state, in);
    case link_type::kPpi:
      return PerPacketInformation(state, in);
    default:
      return;
  }
}

}  // namespace weir::decode

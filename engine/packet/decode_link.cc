// Link layers: Ethernet and its tags.
#include "engine/packet/decode_state.h"

namespace weir::decode {
namespace {

constexpr uint16_t kFirstEtherType = 0x0600;  // below it, the field is a length: IEEE 802.3 3.2.6

bool IsTag(uint16_t type) {
  return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200 || type == 0x9300;
}

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
  if (state.options.mac_addresses && state.packet.family == AddressFamily::kNone) {
    state.packet.destination = in.data;
    state.packet.source = in.data + 6;
    state.packet.family = AddressFamily::kMac;
  }
  Tags(state, in.From(14), Load16(in.data + 12));
}

void EtherType(State& state, Slice in, uint16_t type) {
  if (type == 0x0800) return Ipv4(state, in);
  if (type == 0x86dd) return Ipv6(state, in);
  if (IsTag(type)) return Tags(state, in, type);
}

void LlcSnap(State& state, Slice in) {
  if (!in.Has(3)) return;
  const uint32_t control = (in.data[2] & 3) == 3 ? 1 : 2;  // unnumbered frames have one byte
  if (in.data[0] == 0x06 && in.data[1] == 0x06) return Ipv4(state, in.Beyond(2 + control));
  if (in.data[0] != 0xaa || in.data[1] != 0xaa || !in.Has(8)) return;
  const uint32_t organization = Load24(in.data + 3);
  const uint16_t type = Load16(in.data + 6);
  if (organization == 0 || organization == 0x0000f8) EtherType(state, in.From(8), type);
}

void Link(State& state, Slice in, uint16_t link_type) {
  if (link_type == link_type::kEthernet) return Ethernet(state, in);
}

}  // namespace weir::decode

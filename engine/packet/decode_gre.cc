// GRE and what is peculiar to it: RFC 2784, RFC 2890, RFC 1701 (routing), RFC 2637 (version 1), RFC
// 7637 (NVGRE), draft-foschiano-erspan-03, WCCP.
#include "engine/packet/decode_state.h"

namespace weir::decode {
namespace {

constexpr uint16_t kChecksum = 0x8000, kRouting = 0x4000, kKey = 0x2000, kSequence = 0x1000,
                   kAcknowledgment = 0x0080, kVersion = 0x0007;
constexpr uint16_t kBridged = 0x6558, kErspan = 0x88be, kErspan3 = 0x22eb, kWccp = 0x883e,
                   kFrameRelay = 0x6559;

// Skips the source route entries up to the empty one.
bool SkipRouting(Slice& in) {
  while (in.Has(4)) {
    const uint32_t length = in.data[3];
    const bool last = Load16(in.data) == 0 && length == 0;
    if (!in.Has(4 + length)) return false;
    in = in.From(4 + length);
    if (last) return true;
  }
  return false;
}

// NVGRE's key is a virtual subnet and a flow's hash, which differs by direction. Subnets below
// 0x1000 are reserved: such a key is a plain one.
void Key(State& state, const uint8_t* key, uint16_t protocol) {
  uint8_t bytes[4] = {key[0], key[1], key[2], key[3]};
  if (protocol == kBridged && Load32(key) >= 0x00100000) bytes[3] = 0;
  if (state.Keys(key_part::kGreKey)) {
    state.path.Append(PathElement::kGreKey, bytes, sizeof bytes);
  }
}

// Type I has no header of its own; type II is announced by the sequence number.
void Erspan(State& state, Slice in, bool has_sequence) {
  if (!has_sequence) return Ethernet(state, in);
  if (!in.Has(8)) return state.Malformed(Malformed::kLinkTruncated);
  state.packet.label = Load16(in.data + 2) & 0x03ff;
  Ethernet(state, in.From(8));
}

void Erspan3(State& state, Slice in) {
  if (!in.Has(12)) return state.Malformed(Malformed::kLinkTruncated);
  state.packet.label = Load16(in.data + 2) & 0x03ff;
  const bool has_platform_header = (in.data[11] & 1) != 0;
  const uint32_t size = has_platform_header ? 20 : 12;
  if (!in.Has(size)) return state.Malformed(Malformed::kLinkTruncated);
  Ethernet(state, in.From(size));
}

// Version 2 of WCCP puts a redirect header of 4 bytes in front of the IP header.
void Wccp(State& state, Slice in) {
  const bool has_header = in.Has(4) && in.data[0] >> 4 != 4;
  IpByVersion(state, has_header ? in.From(4) : in);
}

void Payload(State& state, Slice in, uint16_t protocol, uint16_t flags) {
  switch (protocol) {
    case kErspan:
      return Erspan(state, in, (flags & kSequence) != 0);
    case kErspan3:
      return Erspan3(state, in);
    case kWccp:
      return Wccp(state, in);
    case kFrameRelay:
      return FrameRelay(state, in);
    default:
      return EtherType(state, in, protocol);
  }
}

}  // namespace

void Gre(State& state, Slice in) {
  if (!in.Has(4)) return state.Malformed(Malformed::kLinkTruncated);
  const uint16_t flags = Load16(in.data), protocol = Load16(in.data + 2);
  const uint16_t version = flags & kVersion;
  if (version > 1) return;
  in = in.From(4);
  const uint32_t optional = ((flags & (kChecksum | kRouting)) != 0 ? 4u : 0) +
                            ((flags & kKey) != 0 ? 4u : 0) + ((flags & kSequence) != 0 ? 4u : 0) +
                            (version == 1 && (flags & kAcknowledgment) != 0 ? 4u : 0);
  if (!in.Has(optional)) return state.Malformed(Malformed::kLinkTruncated);
  const uint8_t* key = in.data + ((flags & (kChecksum | kRouting)) != 0 ? 4 : 0);
  in = in.From(optional);
  if ((flags & kRouting) != 0 && !SkipRouting(in)) {
    return state.Malformed(Malformed::kLinkTruncated);
  }
  if ((flags & kKey) != 0 && version == 0) Key(state, key, protocol);
  if ((flags & kKey) != 0 && version == 1) {  // the key is a length and the receiver's call number
    state.packet.label = Load16(key + 2);
    in = in.First(Load16(key));
  }
  Payload(state, in, protocol, flags);
}

}  // namespace weir::decode

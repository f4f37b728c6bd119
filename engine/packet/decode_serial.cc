// Point-to-point links, PPPoE and MPLS.
#include "engine/packet/decode_state.h"

namespace weir::decode {
namespace {

// What a PPP protocol number announces (RFC 1661 section 2; IANA's "PPP DLL Protocol Numbers").
void PppProtocol(State& state, Slice in, uint16_t protocol) {
  switch (protocol) {
    case 0x0021:
      return Ipv4(state, in);
    case 0x0057:
      return Ipv6(state, in);
    case 0x0281:
    case 0x0283:
      return Mpls(state, in);
    case 0x0031:  // bridged: flags, then the MAC type, 1 = Ethernet (RFC 3518 section 4.2)
      if (in.Has(2) && in.data[1] == 1) return Ethernet(state, in.From(2));
      return;
    default:
      return;
  }
}

// The NLPIDs behind which IP stands: RFC 2427, ISO/IEC TR 9577.
void FrameRelayNlpid(State& state, Slice in) {
  if (in.Has(1) && in.data[0] == 0) in = in.From(1);  // pad
  if (!in.Has(1)) return state.Malformed(Malformed::kLinkTruncated);
  switch (in.data[0]) {
    case 0xcc:
      return Ipv4(state, in.From(1));
    case 0x8e:
      return Ipv6(state, in.From(1));
    case 0xcf:
      return Ppp(state, in.From(1));
    case 0x80: {  // SNAP
      if (!in.Has(6)) return state.Malformed(Malformed::kLinkTruncated);
      const uint32_t organization = Load24(in.data + 1);
      const uint16_t type = Load16(in.data + 4);
      if (organization == 0) return EtherType(state, in.From(6), type);
      const bool is_bridged_ethernet = organization == 0x0080c2 && (type == 1 || type == 7);
      if (is_bridged_ethernet) return Ethernet(state, in.From(6));
      return;
    }
    default:
      return;
  }
}

}  // namespace

// RFC 1661, RFC 1662: address and control are there or not, and the protocol may be one byte.
void Ppp(State& state, Slice in) {
  constexpr uint8_t kAllStations = 0xff, kCiscoUnicast = 0x0f, kCiscoMulticast = 0x8f;
  if (!in.Has(1)) return state.Malformed(Malformed::kLinkTruncated);
  if (!state.Descend()) return;
  const bool is_cisco = in.Has(2) && in.data[1] == 0 &&
                        (in.data[0] == kCiscoUnicast || in.data[0] == kCiscoMulticast);
  if (is_cisco) return CiscoHdlc(state, in);
  if (in.data[0] == kAllStations) {
    if (!in.Has(2)) return state.Malformed(Malformed::kLinkTruncated);
    in = in.From(2);
  }
  if (!in.Has(1)) return state.Malformed(Malformed::kLinkTruncated);
  if ((in.data[0] & 1) != 0) return PppProtocol(state, in.From(1), in.data[0]);
  if (!in.Has(2)) return state.Malformed(Malformed::kLinkTruncated);
  PppProtocol(state, in.From(2), Load16(in.data));
}

// Address, control, EtherType.
void CiscoHdlc(State& state, Slice in) {
  if (!in.Has(4)) return state.Malformed(Malformed::kLinkTruncated);
  EtherType(state, in.From(4), Load16(in.data + 2));
}

// Q.922 address of 2 to 4 bytes; then RFC 2427, or Cisco's EtherType.
void FrameRelay(State& state, Slice in) {
  constexpr uint8_t kUnnumberedInformation = 0x03;
  uint32_t address = 1;
  while (address <= 4 && in.Has(address) && (in.data[address - 1] & 1) == 0) ++address;
  if (!in.Has(address + 1)) return state.Malformed(Malformed::kLinkTruncated);
  if (address > 4) return state.Malformed(Malformed::kLinkHeader);
  in = in.From(address);
  if (in.data[0] == kUnnumberedInformation) return FrameRelayNlpid(state, in.From(1));
  if (!in.Has(2)) return state.Malformed(Malformed::kLinkTruncated);
  EtherType(state, in.From(2), Load16(in.data));
}

// RFC 2516 section 4.
void PppoeSession(State& state, Slice in) {
  if (!in.Has(6)) return state.Malformed(Malformed::kLinkTruncated);
  if (state.Keys(key_part::kPppoe)) {
    state.path.Append(PathElement::kPppoeSession, in.data + 2, 2);
  }
  Ppp(state, in.From(6).First(Load16(in.data + 4)));
}

// RFC 3032. What is behind the stack shows in its first nibble: RFC 4928 section 2.
void Mpls(State& state, Slice in) {
  if (!in.Has(4)) return state.Malformed(Malformed::kLinkTruncated);
  if (!state.Descend()) return;
  state.packet.label = Load24(in.data) >> 4;
  while ((in.data[2] & 1) == 0) {
    in = in.From(4);
    if (!in.Has(4)) return state.Malformed(Malformed::kLinkTruncated);
  }
  in = in.From(4);
  if (!in.Has(5)) return;
  const uint8_t nibble = in.data[0] >> 4;
  if (nibble == 4 || nibble == 6) return IpByVersion(state, in);
  if (nibble == 1)
    return PppProtocol(state, in.From(4), Load16(in.data + 2));  // RFC 4385 section 5
  if (nibble == 0 && LooksLikeEthernet(in.From(4))) return Ethernet(state, in.From(4));
  if (LooksLikeEthernet(in)) return Ethernet(state, in);
}

}  // namespace weir::decode

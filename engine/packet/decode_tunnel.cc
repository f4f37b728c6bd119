// Encapsulations behind an IP or UDP header. Which ports are followed is what Wireshark follows
// untold.
#include "engine/packet/decode_state.h"

namespace weir::decode {
namespace {

bool HasPorts(const Packet& packet) {
  return packet.protocol == ip_protocol::kTcp || packet.protocol == ip_protocol::kUdp;
}

// Both addresses of the header around, the lower one first.
void OuterPair(State& state) {
  const Packet& packet = state.packet;
  if (!state.Keys(key_part::kOuter)) return;
  const bool ipv6 = packet.family == AddressFamily::kIpv6;
  const size_t size = ipv6 ? 16 : 4;
  const bool ordered = std::memcmp(packet.source, packet.destination, size) <= 0;
  uint8_t pair[32];
  std::memcpy(pair, ordered ? packet.source : packet.destination, size);
  std::memcpy(pair + size, ordered ? packet.destination : packet.source, size);
  state.path.Append(ipv6 ? PathElement::kOuterIpv6 : PathElement::kOuterIpv4, pair,
                    static_cast<int>(2 * size));
}

// True when the inside says more about the frame's flow than what stands around it.
bool Prevails(const Packet& inside, bool outer_has_ports, const DecoderOptions& options) {
  if (inside.verdict == Verdict::kNotIp) return false;
  if (!outer_has_ports) return true;
  if (inside.verdict == Verdict::kMalformed) return false;
  return !options.prefer_ports || HasPorts(inside);
}

// EtherIP, RFC 3378: version 3 and 12 bits that are zero.
void EtherIp(State& state, Slice in) {
  if (!in.Has(2)) return state.Malformed(Malformed::kLinkTruncated);
  if (in.data[0] >> 4 == 3) Ethernet(state, in.From(2));
}

}  // namespace

// RFC 8300 section 2.
void NetworkServiceHeader(State& state, Slice in) {
  if (!in.Has(8)) return state.Malformed(Malformed::kLinkTruncated);
  const uint32_t size = (in.data[1] & 0x3fu) * 4;
  const uint8_t next = in.data[3];
  if (size < 8) return state.Malformed(Malformed::kLinkHeader);
  if (!in.Has(size)) return state.Malformed(Malformed::kLinkTruncated);
  in = in.From(size);
  if (next == 1) return Ipv4(state, in);
  if (next == 2) return Ipv6(state, in);
  if (next == 3) return Ethernet(state, in);
  if (next == 5) return Mpls(state, in);
}

Layer IpTunnel(uint8_t protocol) {
  constexpr uint8_t kEtherIp = 97, kMplsInIp = 137, kEthernet = 143;
  switch (protocol) {
    case ip_protocol::kIpip:
      return IpByVersion;
    case ip_protocol::kIpv6:
      return Ipv6;
    case ip_protocol::kGre:
      return Gre;
    case kEtherIp:
      return EtherIp;
    case kMplsInIp:
      return Mpls;
    case kEthernet:  // RFC 8986 section 4.9
      return Ethernet;
    default:
      return nullptr;
  }
}

void Follow(State& state, Slice inside, Layer layer) {
  const Packet outer = state.packet;
  const uint16_t path_length = state.path.length;
  const bool overflow = state.path.overflow;
  OuterPair(state);
  state.packet.verdict = Verdict::kNotIp;
  layer(state, inside);
  if (Prevails(state.packet, HasPorts(outer), state.options)) return;
  state.packet = outer;
  state.path.length = path_length;
  state.path.overflow = overflow;
}

}  // namespace weir::decode

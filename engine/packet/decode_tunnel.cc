// Encapsulations behind an IP or UDP header. Which ports are followed is what Wireshark follows
// untold.
#include "engine/packet/decode_state.h"
#include "engine/packet/tunnel_ports.h"

namespace weir::decode {
namespace {

bool HasPorts(const Packet& packet) {
  return packet.protocol == ip_protocol::kTcp || packet.protocol == ip_protocol::kUdp;
}

// Both addresses of the header around, the lower one first.
void OuterPair(State& state) {
  const Packet& packet = state.packet;
  state.path.ip_tunnel = true;
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

void VirtualNetwork(State& state, const uint8_t* vni) {
  if (state.Keys(key_part::kVni)) state.path.Append(PathElement::kVxlanVni, vni, 3);
}

// RFC 7348 section 5.
void Vxlan(State& state, Slice in) {
  if (!in.Has(8)) return state.Malformed(Malformed::kLinkTruncated);
  VirtualNetwork(state, in.data + 4);
  Ethernet(state, in.From(8));
}

// draft-ietf-nvo3-vxlan-gpe-12 section 3.1.
void VxlanGpe(State& state, Slice in) {
  constexpr uint8_t kNextProtocolIsSet = 0x04;
  if (!in.Has(8)) return state.Malformed(Malformed::kLinkTruncated);
  VirtualNetwork(state, in.data + 4);
  const uint8_t next = (in.data[0] & kNextProtocolIsSet) != 0 ? in.data[3] : 3;
  in = in.From(8);
  switch (next) {
    case 1:
      return Ipv4(state, in);
    case 2:
      return Ipv6(state, in);
    case 3:
      return Ethernet(state, in);
    case 4:
      return NetworkServiceHeader(state, in);
    case 5:
      return Mpls(state, in);
    default:
      return;
  }
}

// RFC 8926 section 3.4. The network identifier often differs by direction.
void Geneve(State& state, Slice in) {
  if (!in.Has(8)) return state.Malformed(Malformed::kLinkTruncated);
  if (in.data[0] >> 6 != 0) return;
  const uint32_t size = 8 + (in.data[0] & 0x3fu) * 4;
  if (!in.Has(size)) return state.Malformed(Malformed::kLinkTruncated);
  state.packet.label = Load24(in.data + 4);
  EtherType(state, in.From(size), Load16(in.data + 2));
}

// Skips the extension headers of GTP version 1: 3GPP TS 29.281 section 5.2.1.
bool SkipGtpExtensions(Slice& in, uint8_t next) {
  while (next != 0) {
    const uint32_t size = in.Has(1) ? in.data[0] * 4u : 0;
    if (size == 0 || !in.Has(size)) return false;
    next = in.data[size - 1];
    in = in.From(size);
  }
  return true;
}

// What a user packet holds is not announced: IP shows in its first byte, all else is PPP.
void GtpPayload(State& state, Slice in) {
  if (!in.Has(1)) return state.Malformed(Malformed::kLinkTruncated);
  const uint8_t first = in.data[0];
  if (first >= 0x45 && first <= 0x4e) return Ipv4(state, in);
  if (first >> 4 == 6) return Ipv6(state, in);
  Ppp(state, in);
}

void Gtp(State& state, Slice in) {
  constexpr uint8_t kGtp = 0x10, kExtension = 0x04, kOptional = 0x07, kUserPacket = 255;
  if (!in.Has(8)) return state.Malformed(Malformed::kLinkTruncated);
  const uint8_t flags = in.data[0];
  const uint32_t version = flags >> 5, length = Load16(in.data + 2);
  if ((flags & kGtp) == 0 || version > 1 || in.data[1] != kUserPacket) return;
  state.packet.label = Load32(in.data + 4);
  if (version == 0) {  // GSM 09.60 section 6: a header of 20 bytes
    if (!in.Has(20)) return state.Malformed(Malformed::kLinkTruncated);
    return GtpPayload(state, in.From(20).First(length));
  }
  in = in.From(8).First(length);
  if ((flags & kOptional) != 0) {
    if (!in.Has(4)) return state.Malformed(Malformed::kLinkTruncated);
    const uint8_t next = (flags & kExtension) != 0 ? in.data[3] : 0;
    in = in.From(4);
    if (!SkipGtpExtensions(in, next)) return state.Malformed(Malformed::kLinkTruncated);
  }
  GtpPayload(state, in);
}

// RFC 4380 section 5.1.1: authentication, origin, then an IPv6 packet that fits.
void Teredo(State& state, Slice in) {
  if (in.Has(4) && Load16(in.data) == 1) {
    const uint32_t size = 13u + in.data[2] + in.data[3];
    if (!in.Has(size)) return;
    in = in.From(size);
  }
  if (in.Has(8) && Load16(in.data) == 0) in = in.From(8);
  if (!in.Has(40) || in.data[0] >> 4 != 6 || Load16(in.data + 4) + 40u > in.wire) return;
  Ipv6(state, in);
}

// RFC 2661 section 3.1: data messages carry PPP.
void L2tp(State& state, Slice in) {
  constexpr uint16_t kControl = 0x8000, kLength = 0x4000, kSequence = 0x0800, kOffset = 0x0200;
  if (!in.Has(2)) return state.Malformed(Malformed::kLinkTruncated);
  const uint16_t flags = Load16(in.data);
  if ((flags & 0x0f) != 2 || (flags & kControl) != 0) return;
  const uint32_t ids = (flags & kLength) != 0 ? 4 : 2;
  uint32_t size = ids + 4 + ((flags & kSequence) != 0 ? 4 : 0);
  if (!in.Has(size + ((flags & kOffset) != 0 ? 2 : 0))) {
    return state.Malformed(Malformed::kLinkTruncated);
  }
  state.packet.label = Load16(in.data + ids + 2);
  if ((flags & kOffset) != 0) size += 2u + Load16(in.data + size);
  if ((flags & kLength) != 0) in = in.First(Load16(in.data + 2));
  if (!in.Has(size)) return state.Malformed(Malformed::kLinkTruncated);
  Ppp(state, in.From(size));
}

// RFC 5415 section 4.3. DTLS, keep-alives and fragments hold nothing that can be read.
void CapwapData(State& state, Slice in) {
  constexpr uint8_t kIeee80211 = 1;
  if (!in.Has(8) || in.data[0] != 0) return;
  const uint32_t size = (in.data[1] >> 3) * 4u;
  const uint8_t binding = in.data[2] >> 1 & 0x1f;
  const bool native = (in.data[2] & 1) != 0;
  const bool fragment = (in.data[3] & 0x80) != 0, keep_alive = (in.data[3] & 0x08) != 0;
  if (size < 8 || !in.Has(size) || fragment || keep_alive) return;
  in = in.From(size);
  if (!native) return Ethernet(state, in);
  if (binding == kIeee80211) Ieee80211Swapped(state, in);
}

// RFC 9300 section 5.1.
void LispData(State& state, Slice in) {
  if (!in.Has(8)) return state.Malformed(Malformed::kLinkTruncated);
  IpByVersion(state, in.From(8));
}

// EtherIP, RFC 3378: version 3 and 12 bits that are zero.
void EtherIp(State& state, Slice in) {
  if (!in.Has(2)) return state.Malformed(Malformed::kLinkTruncated);
  if (in.data[0] >> 4 == 3) Ethernet(state, in.From(2));
}

Layer OfPort(uint16_t port) {
  switch (port) {
    case udp_port::kVxlan:
      return Vxlan;
    case udp_port::kVxlanGpe:
      return VxlanGpe;
    case udp_port::kGeneve:
      return Geneve;
    case udp_port::kGtpUser:
    case udp_port::kGtpControl:
    case udp_port::kGtpPrime:
      return Gtp;
    case udp_port::kTeredo:
      return Teredo;
    case udp_port::kL2tp:
      return L2tp;
    case udp_port::kCapwapData:
      return CapwapData;
    case udp_port::kMpls:
      return Mpls;
    case udp_port::kGre:
      return Gre;
    case udp_port::kLispData:
      return LispData;
    default:
      return nullptr;
  }
}

// Services whose clients use any port, a tunnel's too.
bool IsOtherService(uint16_t port) {
  switch (port) {
    case 53:  // DNS
    case 67:  // DHCP
    case 68:
    case 69:   // TFTP
    case 88:   // Kerberos
    case 111:  // RPC
    case 123:  // NTP
    case 137:  // NetBIOS
    case 138:
    case 161:  // SNMP
    case 162:
    case 389:  // LDAP
    case 443:  // QUIC
    case 500:  // IKE
    case 514:  // syslog
    case 520:  // RIP
    case 546:  // DHCPv6
    case 547:
      return true;
    default:
      return false;
  }
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

// The lower port decides first: it is the service's, more often than not.
Layer UdpTunnel(uint16_t source_port, uint16_t destination_port) {
  const uint16_t low = std::min(source_port, destination_port);
  if (Layer layer = OfPort(low)) return layer;
  return IsOtherService(low) ? nullptr : OfPort(std::max(source_port, destination_port));
}

Layer IpTunnel(uint8_t protocol) {
  constexpr uint8_t kEtherIp = 97, kMplsInIp = 137, kEthernet = 143;
  switch (protocol) {
    case ip_protocol::kIpip:
    case ip_protocol::kIpv6:
      return IpByVersion;
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
  const bool ip_tunnel = state.path.ip_tunnel;
  OuterPair(state);
  state.packet.verdict = Verdict::kNotIp;
  layer(state, inside);
  if (Prevails(state.packet, HasPorts(outer), state.options)) return;
  state.packet = outer;
  state.path.length = path_length;
  state.path.ip_tunnel = ip_tunnel;
  state.path.overflow = false;
}

}  // namespace weir::decode

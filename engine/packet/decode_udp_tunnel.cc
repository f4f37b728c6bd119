// Tunnels over UDP. Which ports are followed is what Wireshark follows without being told.
#include "engine/packet/decode_state.h"
#include "engine/packet/tunnel_ports.h"

namespace weir::decode {
namespace {

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

// What a user packet holds is not announced: it shows in the first bytes.
void GtpPayload(State& state, Slice in) {
  if (!in.Has(1)) return state.Malformed(Malformed::kLinkTruncated);
  const uint8_t first = in.data[0];
  if (first >= 0x45 && first <= 0x4e) return Ipv4(state, in);
  if (first >> 4 == 6) return Ipv6(state, in);
  if (LooksLikeEthernet(in)) return Ethernet(state, in);
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

// TaZmen sniffer protocol: version, type, encapsulation, then tags up to the one that ends them.
void Tzsp(State& state, Slice in) {
  constexpr uint16_t kEthernet = 1, kIeee80211 = 18;
  if (!in.Has(4)) return state.Malformed(Malformed::kLinkTruncated);
  const uint16_t encapsulation = Load16(in.data + 2);
  in = in.From(4);
  while (in.Has(2) && in.data[0] != 1) {
    const uint32_t size = in.data[0] == 0 ? 1 : 2u + in.data[1];
    if (!in.Has(size)) return state.Malformed(Malformed::kLinkTruncated);
    in = in.From(size);
  }
  if (!in.Has(1)) return state.Malformed(Malformed::kLinkTruncated);
  in = in.From(1);
  if (encapsulation == kEthernet) return Ethernet(state, in);
  if (encapsulation == kIeee80211) return Ieee80211(state, in);
}

// draft-massar-v6ops-ayiya-02 section 3: identity and signature in front of what `next header`
// says.
void Ayiya(State& state, Slice in) {
  if (!in.Has(8)) return state.Malformed(Malformed::kLinkTruncated);
  const uint32_t size = 8 + (1u << (in.data[0] >> 4)) + (in.data[1] >> 4) * 4u;
  if (!in.Has(size)) return state.Malformed(Malformed::kLinkTruncated);
  const uint8_t next = in.data[3];
  if (next == ip_protocol::kIpip) return Ipv4(state, in.From(size));
  if (next == ip_protocol::kIpv6) return Ipv6(state, in.From(size));
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
    case udp_port::kTzsp:
      return Tzsp;
    case udp_port::kAyiya:
      return Ayiya;
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
    case 4500:  // IPsec
      return true;
    default:
      return false;
  }
}

}  // namespace

// The lower port decides first: it is the service's, more often than not.
Layer UdpTunnel(uint16_t source_port, uint16_t destination_port) {
  const uint16_t low = std::min(source_port, destination_port);
  if (Layer layer = OfPort(low)) return layer;
  return IsOtherService(low) ? nullptr : OfPort(std::max(source_port, destination_port));
}

}  // namespace weir::decode

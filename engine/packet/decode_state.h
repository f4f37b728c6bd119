// What the layers of the decoder share: the bytes that are left, and the packet that comes into
// being. Internal to engine/packet.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/packet/bytes.h"
#include "engine/packet/decoder.h"
#include "engine/packet/packet.h"

namespace weir::decode {

// Headers that may hold another one of their kind and are followed before a frame is
// Malformed::kTunnelDepth: it bounds the recursion of the layers.
inline constexpr int kMaxDepth = 16;

// A layer's bytes. Invariant: captured <= wire.
struct Slice {
  const uint8_t* data;
  uint32_t captured;  // bytes at `data`
  uint32_t wire;      // bytes that were sent, as far as the layer around says

  bool Has(uint32_t size) const { return captured >= size; }
  // What is behind the first `size` bytes, which were captured.
  Slice From(uint32_t size) const { return {data + size, captured - size, wire - size}; }
  // What is behind the first `size` bytes, whether they were captured or not.
  Slice Beyond(uint32_t size) const {
    const uint32_t skipped = std::min(size, captured);
    return {data + skipped, captured - skipped, wire - std::min(size, wire)};
  }
  // The first `size` bytes at most: leaves out what a link appended.
  Slice First(uint32_t size) const {
    return {data, std::min(captured, size), std::min(wire, size)};
  }
  // The same layer with the length that its own header gives, which may be beyond the frame.
  Slice WithLength(uint32_t size) const { return {data, std::min(captured, size), size}; }
};

// A frame on its way through the layers. packet.verdict is kNotIp until an IP header was read.
struct State {
  const uint8_t* base;  // Packet's offsets count from here
  Packet& packet;
  TunnelPath& path;
  const DecoderOptions& options;
  int depth = 0;

  void Malformed(weir::Malformed reason);
  // One encapsulation more; false: too many, and the frame is malformed.
  bool Descend() {
    if (++depth <= kMaxDepth) return true;
    Malformed(weir::Malformed::kTunnelDepth);
    return false;
  }
  void Anomaly(weir::Anomaly anomaly) {
    packet.anomalies =
        static_cast<uint16_t>(packet.anomalies | 1u << static_cast<unsigned>(anomaly));
  }
  bool Keys(uint32_t part) const { return (options.key_parts & part) != 0 && !in_mac_pair(); }
  // With MAC addresses as the key nothing behind the link header identifies a flow.
  bool in_mac_pair() const { return options.mac_addresses && ip_headers > 0; }
  int ip_headers = 0;
};

// Any layer: reads `in`, goes on to the next one.
using Layer = void (*)(State&, Slice);

// decode_link.cc: dispatch on Frame::link_type, Ethernet and its tags, cooked and raw captures.
void Link(State& state, Slice in, uint32_t link_type);
void Ethernet(State& state, Slice in);
void EtherType(State& state, Slice in, uint16_t type);  // what follows an EtherType
void Tag(State& state, uint16_t tci);                   // one VLAN tag of the stack
void LlcSnap(State& state, Slice in);
// True when `in` starts with an Ethernet header and, at most one tag later, an IP header: where no
// field says so.
bool LooksLikeEthernet(Slice in);

// decode_serial.cc: point-to-point links and labels.
void Ppp(State& state, Slice in);  // with or without address and control
void CiscoHdlc(State& state, Slice in);
void FrameRelay(State& state, Slice in);
void PppoeSession(State& state, Slice in);
void Mpls(State& state, Slice in);

// decode_wifi.cc
void Radiotap(State& state, Slice in);
void PerPacketInformation(State& state, Slice in);
void Ieee80211(State& state, Slice in);
void Ieee80211Swapped(State& state, Slice in);  // frame control bytes exchanged, as CAPWAP has them

// decode_ip.cc
void IpByVersion(State& state, Slice in);  // by the first nibble; anything but 4 and 6 is not IP
void Ipv4(State& state, Slice in);
void Ipv6(State& state, Slice in);
void Extensions(State& state, Slice in, uint8_t next);  // IPv6 extension headers, then transport

// IANA's numbers of the IPv6 extension headers.
namespace extension {
inline constexpr uint8_t kHopByHop = 0;
inline constexpr uint8_t kRouting = 43;
inline constexpr uint8_t kFragment = 44;
inline constexpr uint8_t kAuthentication = 51;
inline constexpr uint8_t kDestination = 60;
inline constexpr uint8_t kShim6 = 140;
}  // namespace extension
// True for those that are walked, but for a fragment header. Mobility (135) and HIP (139) headers
// end the chain: RFC 6275 section 6.1.1, RFC 7401 section 5.1.
bool IsExtension(uint8_t kind);
// Bytes of the extension header of such a kind, of which two were captured.
uint32_t ExtensionSize(const uint8_t* header, uint8_t kind);

// decode_transport.cc: what an IP header, or the last extension header, announces.
void Transport(State& state, Slice in, uint8_t protocol);

// decode_tunnel.cc, decode_udp_tunnel.cc, decode_gre.cc. The layer reads the tunnel's own header.
void Gre(State& state, Slice in);
void NetworkServiceHeader(State& state, Slice in);
Layer UdpTunnel(uint16_t source_port, uint16_t destination_port);  // null: not a tunnel's ports
Layer IpTunnel(uint8_t protocol);                                  // null: not a tunnel

// Follows an encapsulation behind the packet as it stands now, and falls back to that where the
// inside is nothing to key a flow by.
void Follow(State& state, Slice inside, Layer layer);

// The whole frame, without the fast path.
void Everything(const Frame& frame, Packet& packet, TunnelPath& path,
                const DecoderOptions& options);

}  // namespace weir::decode

// The common case in one straight run: Ethernet, at most one VLAN tag, IPv4 without options or IPv6
// without extension headers, TCP or plain UDP, whole in the capture. Internal to engine/packet.
#pragma once

#include "engine/packet/checksum.h"
#include "engine/packet/decode_state.h"
#include "engine/packet/tunnel_ports.h"

namespace weir::decode {

inline constexpr uint16_t kTypeIpv4 = 0x0008, kTypeIpv6 = 0xdd86, kTypeVlan = 0x0081;  // as loaded

// Everything that stays the same whatever the frame holds. Fields that are valid only under a flag
// are left as they are.
inline void Begin(const Frame& frame, Packet& packet) {
  packet.timestamp_ns = frame.timestamp_ns;
  packet.wire_length = frame.wire_length;
  packet.label = 0;
  packet.tcp_flags = 0;
  packet.reason = 0;
  packet.anomalies = 0;
  packet.flags = 0;
  packet.vlan_count = 0;
  packet.icmp_type = packet.icmp_code = 0;
  packet.held_packets = packet.held_bytes = 0;
  packet.tunnel = nullptr;
}

// Reads TCP at `header`, with `size` bytes up to the end of the datagram, all captured, at
// least 20.
inline bool FastTcp(const uint8_t* header, uint32_t size, Packet& packet) {
  const uint32_t header_size = (header[12] >> 4) * 4u;
  const uint8_t flags = header[13];
  if (header_size < 20 || header_size > size) return false;
  packet.tcp_seq = Load32(header + 4);
  packet.tcp_ack = Load32(header + 8);
  packet.tcp_window = Load16(header + 14);
  packet.tcp_flags = flags;
  packet.flags = packet_flag::kTcpFields;
  constexpr uint64_t kOdd = [] {  // bit n: the flags' low six bits n are an anomaly
    uint64_t bits = 0;
    for (unsigned n = 0; n < 64; ++n) {
      const bool syn = (n & tcp_flag::kSyn) != 0;
      const bool end = (n & (tcp_flag::kFin | tcp_flag::kRst)) != 0;
      if (n == 0 || (syn && end)) bits |= uint64_t{1} << n;
    }
    return bits;
  }();
  packet.anomalies = static_cast<uint16_t>(
      packet.anomalies | (kOdd >> (flags & 0x3f) & 1) << static_cast<unsigned>(Anomaly::kTcpFlags));
  packet.payload = header + header_size;
  packet.transport_header_length = static_cast<uint8_t>(header_size);
  packet.payload_length = packet.payload_wire_length = size - header_size;
  return true;
}

inline bool FastUdp(const uint8_t* header, uint32_t size, Packet& packet) {
  if (Load16(header + 4) != size) return false;
  if (MayBeTunnel(packet.source_port, packet.destination_port)) return false;
  packet.payload = header + 8;
  packet.transport_header_length = 8;
  packet.payload_length = packet.payload_wire_length = size - 8;
  return true;
}

// False: not the common case; the packet's fields mean nothing yet.
inline bool Fast(const Frame& frame, Packet& packet, TunnelPath& path, bool key_vlan) {
  if (frame.captured_length < 46) return false;  // tag, IPv4 and UDP headers
  const uint8_t* data = frame.data;
  uint32_t at = 14;
  uint16_t type = LoadNative<uint16_t>(data + 12);
  uint16_t tag = frame.vlan_tci;
  bool tagged = frame.vlan_tpid != 0;
  if (type == kTypeVlan) {
    if (tagged) return false;
    tagged = true;
    tag = Load16(data + 14);
    type = LoadNative<uint16_t>(data + 16);
    at = 18;
  }
  const uint8_t* ip = data + at;
  Begin(frame, packet);
  uint32_t header_size, size;
  uint8_t protocol;
  if (type == kTypeIpv4) {
    if (ip[0] != 0x45 || (LoadNative<uint16_t>(ip + 6) & 0xff3f) != 0) return false;
    header_size = 20;
    size = Load16(ip + 2);
    protocol = ip[9];
    packet.source = ip + 12;
    packet.destination = ip + 16;
    packet.family = AddressFamily::kIpv4;
    packet.anomalies =
        static_cast<uint16_t>((Ipv4HeaderSumIsRight(ip) ? 0u : 1u)
                              << static_cast<unsigned>(Anomaly::kIpv4HeaderChecksum));
  } else if (type == kTypeIpv6 && ip[0] >> 4 == 6 && LoadNative<uint16_t>(ip + 4) != 0) {
    header_size = 40;
    size = Load16(ip + 4) + 40u;
    protocol = ip[6];
    packet.source = ip + 8;
    packet.destination = ip + 24;
    packet.family = AddressFamily::kIpv6;
  } else {
    return false;
  }
  const uint32_t least = header_size + (protocol == ip_protocol::kTcp ? 20 : 8);
  if (size < least || at + size > frame.captured_length) return false;
  const uint8_t* transport = ip + header_size;
  packet.verdict = Verdict::kTracked;
  packet.protocol = protocol;
  packet.ip_offset = at;
  packet.transport_offset = at + header_size;
  packet.source_port = Load16(transport);
  packet.destination_port = Load16(transport + 2);
  if (protocol == ip_protocol::kTcp) {
    if (!FastTcp(transport, size - header_size, packet)) return false;
  } else if (protocol == ip_protocol::kUdp) {
    if (!FastUdp(transport, size - header_size, packet)) return false;
  } else {
    return false;
  }
  if (tagged) {
    const uint16_t id = tag & 0x0fff;
    packet.vlan_count = 1;
    packet.vlan[0] = id;
    if (id != 0 && key_vlan) {
      path.Clear();
      const uint8_t bytes[2] = {static_cast<uint8_t>(id >> 8), static_cast<uint8_t>(id)};
      path.Append(PathElement::kVlan, bytes, sizeof bytes);
      packet.tunnel = &path;
    }
  }
  return true;
}

}  // namespace weir::decode

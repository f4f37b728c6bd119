// The common cases in a straight run, whole in the capture: Plain, Ethernet and IPv4 without
// options and TCP or plain UDP; Fast, the same with at most one VLAN tag or with IPv6 without
// extension headers. Internal to engine/packet.
#pragma once

#include <cstddef>

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
  packet.plain = 0;
  packet.icmp_type = packet.icmp_code = 0;
  packet.held_packets = packet.held_bytes = 0;
  packet.tunnel = nullptr;
}

// Bit n: the low six bits of the TCP flags being n are an anomaly.
inline constexpr uint64_t kOddTcpFlags = [] {
  uint64_t bits = 0;
  for (unsigned n = 0; n < 64; ++n) {
    const bool syn = (n & tcp_flag::kSyn) != 0;
    const bool end = (n & (tcp_flag::kFin | tcp_flag::kRst)) != 0;
    if (n == 0 || (syn && end)) bits |= uint64_t{1} << n;
  }
  return bits;
}();
inline bool IsOdd(uint8_t tcp_flags) { return (kOddTcpFlags >> (tcp_flags & 0x3f) & 1) != 0; }

// Neither an anomaly nor SYN, FIN or RST.
inline constexpr uint64_t kUsualTcpFlags = [] {
  constexpr unsigned kControl = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst;
  uint64_t bits = 0;
  for (unsigned n = 1; n < 64; ++n) bits |= uint64_t{(n & kControl) == 0} << n;
  return bits;
}();
inline bool HasUsualFlags(uint8_t tcp_flags) {
  return (kUsualTcpFlags >> (tcp_flags & 0x3f) & 1) != 0;
}

inline constexpr uint16_t kTcpFlagsAnomaly = 1u << static_cast<unsigned>(Anomaly::kTcpFlags);

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
  if (IsOdd(flags)) packet.anomalies |= kTcpFlagsAnomaly;
  if (HasUsualFlags(flags)) packet.plain = plain_bit::kUsual;
  packet.payload = header + header_size;
  packet.transport_header_length = static_cast<uint8_t>(header_size);
  packet.payload_length = packet.payload_wire_length = size - header_size;
  return true;
}

inline bool FastUdp(const uint8_t* header, uint32_t size, Packet& packet) {
  if (Load16(header + 4) != size) return false;
  if (MayBeTunnel(packet.source_port, packet.destination_port)) return false;
  packet.plain = plain_bit::kUsual;
  packet.payload = header + 8;
  packet.transport_header_length = 8;
  packet.payload_length = packet.payload_wire_length = size - 8;
  return true;
}

// Sets tcp_seq ... protocol. The first 16 bytes of the transport header are turned to host order
// all at once, as they stand in a TCP header: with UDP tcp_seq, tcp_ack and tcp_window get
// something.
template <uint8_t kProtocol>
[[gnu::always_inline]] inline void TransportFields(const uint8_t* header, Packet& packet) {
  using Bytes [[gnu::vector_size(16)]] = uint8_t;
  constexpr size_t kFrom = offsetof(Packet, tcp_seq);
  static_assert(
      offsetof(Packet, tcp_ack) == kFrom + 4 && offsetof(Packet, tcp_window) == kFrom + 8 &&
      offsetof(Packet, source_port) == kFrom + 10 &&
      offsetof(Packet, destination_port) == kFrom + 12 &&
      offsetof(Packet, tcp_flags) == kFrom + 14 && offsetof(Packet, protocol) == kFrom + 15);
  Bytes bytes;
  std::memcpy(&bytes, header, sizeof bytes);
  bytes =
      __builtin_shufflevector(bytes, bytes, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 1, 0, 3, 2, 13, 13);
  std::memcpy(reinterpret_cast<uint8_t*>(&packet) + kFrom, &bytes, sizeof bytes);
  if (kProtocol != ip_protocol::kTcp) packet.tcp_flags = 0;
  packet.protocol = kProtocol;
}

// The shape of a UDP datagram is that of a segment but for this bit.
inline constexpr uint64_t kPlainDatagram = kPlainSegment & ~ShapeOfFlags(packet_flag::kTcpFields);

// Where the headers stand that Plain reads.
namespace plain {
inline constexpr uint32_t kIp = 14, kTransport = 34;
inline constexpr uint32_t kTcpHeader = 20, kUdpHeader = 8;  // without options
}  // namespace plain

// Of a packet that was filled as a plain segment, what is not.
[[gnu::noinline]] inline void CorrectPlain(bool sum_is_right, uint8_t tcp_flags, Packet& packet) {
  constexpr uint16_t kSumAnomaly = 1u << static_cast<unsigned>(Anomaly::kIpv4HeaderChecksum);
  if (!sum_is_right) packet.anomalies |= kSumAnomaly;
  if (IsOdd(tcp_flags)) packet.anomalies |= kTcpFlagsAnomaly;
  if (!HasUsualFlags(tcp_flags)) packet.plain = plain_bit::kStraight;
}

// Everything but tcp_seq ... protocol of a packet that Plain knows.
template <uint8_t kProtocol>
[[gnu::always_inline]] inline void FillPlain(const Frame& frame, const uint8_t* data,
                                             Packet& packet, uint32_t payload,
                                             uint32_t payload_length) {
  const uint8_t* ip = data + plain::kIp;
  const bool sum_is_right = Ipv4HeaderSumIsRight(ip);
  packet.source = ip + 12;
  packet.destination = ip + 16;
  packet.payload = data + payload;
  packet.payload_length = packet.payload_wire_length = payload_length;
  packet.timestamp_ns = frame.timestamp_ns;
  packet.wire_length = frame.wire_length;
  packet.label = 0;
  packet.icmp_type = packet.icmp_code = 0;
  packet.transport_header_length = static_cast<uint8_t>(payload - plain::kTransport);
  packet.ip_offset = plain::kIp;
  packet.transport_offset = plain::kTransport;
  packet.held_packets = packet.held_bytes = 0;
  packet.tunnel = nullptr;
  constexpr bool kTcp = kProtocol == ip_protocol::kTcp;
  constexpr uint64_t kShape = kTcp ? kPlainSegment : kPlainDatagram;
  std::memcpy(reinterpret_cast<uint8_t*>(&packet) + offsetof(Packet, verdict), &kShape,
              sizeof kShape);
  const uint8_t tcp_flags = kTcp ? data[plain::kTransport + 13] : uint8_t{tcp_flag::kAck};
  if (!sum_is_right || !HasUsualFlags(tcp_flags)) [[unlikely]]
    CorrectPlain(sum_is_right, tcp_flags, packet);
}

// False: something else, and nothing was written. What Fast says of such a frame, with less work.
[[gnu::always_inline]] inline bool Plain(const Frame& frame, Packet& packet) {
  using plain::kIp, plain::kTransport, plain::kTcpHeader, plain::kUdpHeader;
  constexpr uint64_t kShape = 0xff3f'0000'0000'00ff;  // version, IHL, MF, fragment offset
  if (frame.captured_length < kTransport + kTcpHeader) return false;
  if (frame.link_type != link_type::kEthernet || frame.vlan_tpid != 0) return false;
  const uint8_t* data = frame.data;
  if (LoadNative<uint16_t>(data + 12) != kTypeIpv4) return false;
  if ((LoadNative<uint64_t>(data + kIp) & kShape) != 0x45) return false;
  const uint32_t end = kIp + Load16(data + kIp + 2);  // of the datagram
  if (end > frame.captured_length) return false;
  const uint8_t* transport = data + kTransport;
  const uint8_t protocol = data[kIp + 9];
  if (protocol == ip_protocol::kTcp) [[likely]] {
    const uint32_t payload = kTransport + (transport[12] >> 4) * 4u;
    if (payload < kTransport + kTcpHeader || payload > end) return false;
    TransportFields<ip_protocol::kTcp>(transport, packet);
    FillPlain<ip_protocol::kTcp>(frame, data, packet, payload, end - payload);
    return true;
  }
  const uint32_t udp_size = Load16(transport + 4);
  if (protocol != ip_protocol::kUdp || udp_size < kUdpHeader || kTransport + udp_size != end ||
      MayBeTunnel(Load16(transport), Load16(transport + 2))) {
    return false;
  }
  TransportFields<ip_protocol::kUdp>(transport, packet);
  FillPlain<ip_protocol::kUdp>(frame, data, packet, kTransport + kUdpHeader, udp_size - kUdpHeader);
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

// What stands behind the network layer.
#include "engine/packet/decode_state.h"

namespace weir::decode {
namespace {

constexpr uint8_t kDccp = 33, kUdpLite = 136;

void SetPayload(Packet& packet, Slice payload) {
  packet.payload = payload.data;
  packet.payload_length = payload.captured;
  packet.payload_wire_length = payload.wire;
}

// The payload behind a header of `size` bytes, or what there is of them.
void SetPayloadBehind(Packet& packet, Slice in, uint32_t size) {
  SetPayload(packet, in.Beyond(size));
  packet.transport_header_length = static_cast<uint8_t>(std::min(size, in.captured));
}

bool Ports(State& state, Slice in) {
  if (!in.Has(4)) {
    state.Malformed(Malformed::kTransportTruncated);
    return false;
  }
  state.packet.source_port = Load16(in.data);
  state.packet.destination_port = Load16(in.data + 2);
  return true;
}

void TcpFlags(State& state, uint8_t flags) {
  state.packet.tcp_flags = flags;
  const bool syn = (flags & tcp_flag::kSyn) != 0;
  if ((syn && (flags & (tcp_flag::kFin | tcp_flag::kRst)) != 0) || (flags & 0x3f) == 0) {
    state.Anomaly(Anomaly::kTcpFlags);
  }
}

// RFC 9293 section 3.1.
void Tcp(State& state, Slice in) {
  Packet& packet = state.packet;
  if (!Ports(state, in)) return;
  SetPayload(packet, in.Beyond(20));
  if (in.Has(14)) TcpFlags(state, in.data[13]);
  if (!in.Has(20)) {
    state.Anomaly(Anomaly::kTcpHeaderTruncated);
    return;
  }
  packet.tcp_seq = Load32(in.data + 4);
  packet.tcp_ack = Load32(in.data + 8);
  packet.tcp_window = Load16(in.data + 14);
  packet.flags |= packet_flag::kTcpFields;
  const uint32_t header = (in.data[12] >> 4) * 4u;
  if (header < 20 || header > in.wire) {
    state.Anomaly(Anomaly::kTcpDataOffset);
    SetPayload(packet, in.Beyond(in.wire));
    return;
  }
  if (!in.Has(header)) state.Anomaly(Anomaly::kTcpHeaderTruncated);
  SetPayloadBehind(packet, in, header);
}

// RFC 768; a length of 0 stands for a jumbogram (RFC 2675 section 4).
void Udp(State& state, Slice in) {
  if (!Ports(state, in)) return;
  const uint32_t said = in.Has(6) ? Load16(in.data + 4) : in.wire;
  const bool is_jumbo = said == 0 && in.wire > UINT16_MAX;
  const bool is_wrong = !is_jumbo && (said < 8 || said > in.wire);
  if (is_wrong) state.Anomaly(Anomaly::kUdpLength);
  const Slice datagram = in.First(is_jumbo || is_wrong ? in.wire : said);
  SetPayloadBehind(state.packet, datagram, 8);
  if (!state.options.decapsulate || (said < 8 && !is_jumbo)) return;
  const Layer tunnel = UdpTunnel(state.packet.source_port, state.packet.destination_port);
  if (tunnel != nullptr) Follow(state, datagram.Beyond(8), tunnel);
}

// Ports, and a payload behind a header of `size` bytes.
void PortsOnly(State& state, Slice in, uint32_t size) {
  if (Ports(state, in)) SetPayload(state.packet, in.Beyond(size));
}

bool IsEcho(uint8_t type) {  // RFC 792, RFC 950, RFC 8335: types with an identifier
  return type == 0 || type == 8 || (type >= 13 && type <= 18) || type == 42 || type == 43;
}
bool IsError(uint8_t type) { return (type >= 3 && type <= 5) || type == 11 || type == 12; }
bool IsEcho6(uint8_t type) { return type == 128 || type == 129 || type == 160 || type == 161; }
bool IsError6(uint8_t type) { return type >= 1 && type <= 4; }

void Icmp(State& state, Slice in, bool echo, bool error) {
  Packet& packet = state.packet;
  if (echo && !in.Has(6)) return state.Malformed(Malformed::kTransportTruncated);
  packet.icmp_type = in.data[0];
  packet.icmp_code = in.data[1];
  packet.source_port = packet.destination_port = echo ? Load16(in.data + 4) : Load16(in.data);
  if (error) packet.flags |= packet_flag::kIcmpError;
  SetPayloadBehind(packet, in, 8);
}

}  // namespace

void Transport(State& state, Slice in, uint8_t protocol) {
  Packet& packet = state.packet;
  packet.protocol = protocol;
  packet.transport_offset = static_cast<uint32_t>(in.data - state.base);
  SetPayload(packet, in);
  switch (protocol) {
    case ip_protocol::kTcp:
      return Tcp(state, in);
    case ip_protocol::kUdp:
      return Udp(state, in);
    case ip_protocol::kSctp:
      return PortsOnly(state, in, 12);
    case kDccp:
      return PortsOnly(state, in, 12);
    case kUdpLite:
      return PortsOnly(state, in, 8);
    case ip_protocol::kIcmp:
      if (!in.Has(2)) return state.Malformed(Malformed::kTransportTruncated);
      return Icmp(state, in, IsEcho(in.data[0]), IsError(in.data[0]));
    case ip_protocol::kIcmpv6:
      if (!in.Has(2)) return state.Malformed(Malformed::kTransportTruncated);
      return Icmp(state, in, IsEcho6(in.data[0]), IsError6(in.data[0]));
    default:
      if (!state.options.decapsulate) return;
      if (const Layer tunnel = IpTunnel(protocol)) Follow(state, in, tunnel);
  }
}

}  // namespace weir::decode

#include "engine/packet/decoder.h"

#include "engine/packet/decode_fast.h"
#include "engine/packet/decode_state.h"

namespace weir {
namespace decode {

void State::Malformed(weir::Malformed reason) {
  packet.verdict = Verdict::kMalformed;
  packet.reason = static_cast<uint8_t>(reason);
}

namespace {

constexpr uint32_t kTagSize = 4;  // of a VLAN tag that the kernel took out: part of the wire length

// Everything else starts as "nothing that is IP".
void Empty(Packet& packet) {
  packet.source = packet.destination = packet.payload = nullptr;
  packet.payload_length = packet.payload_wire_length = 0;
  packet.tcp_seq = packet.tcp_ack = packet.tcp_window = 0;
  packet.source_port = packet.destination_port = 0;
  packet.protocol = 0;
  packet.verdict = Verdict::kNotIp;
  packet.family = AddressFamily::kNone;
  packet.vlan[0] = packet.vlan[1] = 0;
  packet.ip_offset = packet.transport_offset = 0;
  packet.fragment_id = packet.fragment_offset = 0;
}

// What the caller may rely on, whichever layer was the last one.
void Finish(State& state) {
  Packet& packet = state.packet;
  if (state.path.overflow) state.Malformed(Malformed::kTunnelDepth);
  const bool has_addresses =
      packet.verdict != Verdict::kMalformed &&
      (packet.verdict != Verdict::kNotIp || packet.family == AddressFamily::kMac);
  if (!has_addresses) {
    packet.source = packet.destination = nullptr;
    packet.family = AddressFamily::kNone;
  } else if (packet.family == AddressFamily::kNone) {
    packet.verdict = Verdict::kNotIp;  // MAC addresses were wanted, and the link has none
  }
  packet.tunnel = state.path.length != 0 ? &state.path : nullptr;
  const bool usual = (packet.flags & packet_flag::kTcpFields) != 0
                         ? HasUsualFlags(packet.tcp_flags)
                         : packet.protocol == ip_protocol::kUdp;
  packet.plain = usual && packet.label == 0 ? plain_bit::kUsual : uint8_t{0};
}

}  // namespace

void Everything(const Frame& frame, Packet& packet, TunnelPath& path,
                const DecoderOptions& options) {
  Begin(frame, packet);
  Empty(packet);
  path.Clear();
  State state{frame.data, packet, path, options};
  uint32_t wire = frame.wire_length;
  if (frame.vlan_tpid != 0) {
    Tag(state, frame.vlan_tci);
    wire -= std::min(wire, kTagSize);
  }
  Link(state, {frame.data, frame.captured_length, std::max(frame.captured_length, wire)},
       frame.link_type);
  Finish(state);
}

namespace {

// Stands apart: the loop around Plain keeps its registers.
[[gnu::noinline]] void FastOrEverything(const Frame& frame, Packet& packet, TunnelPath& path,
                                        const DecoderOptions& options) {
  const bool key_vlan = (options.key_parts & key_part::kVlan) != 0;
  if (frame.link_type == link_type::kEthernet && Fast(frame, packet, path, key_vlan)) return;
  Everything(frame, packet, path, options);
}

}  // namespace
}  // namespace decode

void Decoder::Decode(const Frame& frame, Packet& packet, TunnelPath& path) const {
  DecodeBatch({&frame, 1}, {&packet, 1}, {&path, 1});
}

void Decoder::DecodeBatch(std::span<const Frame> frames, std::span<Packet> packets,
                          std::span<TunnelPath> paths) const {
  const size_t count = frames.size();
  if (options_.mac_addresses) {
    for (size_t i = 0; i < count; ++i) {
      decode::Everything(frames[i], packets[i], paths[i], options_);
    }
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    if (!decode::Plain(frames[i], packets[i])) {
      decode::FastOrEverything(frames[i], packets[i], paths[i], options_);
    }
  }
}

void Decoder::DecodeIp(const uint8_t* data, uint32_t captured_length, Packet& packet,
                       TunnelPath& path) const {
  Frame frame;
  frame.timestamp_ns = packet.timestamp_ns;
  frame.wire_length = packet.wire_length;
  decode::Begin(frame, packet);
  decode::Empty(packet);
  decode::State state{data, packet, path, options_};
  decode::IpByVersion(state, {data, captured_length, captured_length});
  decode::Finish(state);
}

void Decoder::DecodePayload(const uint8_t* data, uint32_t captured_length, uint32_t wire_length,
                            uint8_t protocol, Packet& packet, TunnelPath& path) const {
  decode::State state{data - packet.transport_offset, packet, path, options_};
  state.depth = state.ip_headers = 1;
  packet.verdict = Verdict::kTracked;
  packet.source_port = packet.destination_port = 0;
  decode::Extensions(state, {data, captured_length, wire_length}, protocol);
  decode::Finish(state);
}

}  // namespace weir

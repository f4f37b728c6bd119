// Packet events: what a consumer of packets and raw segments sees.

#include "engine/flow/flow_batch.h"

namespace weir {

void FlowTracker::Report(const Frame& frame, const Packet& packet, uint32_t slot, int side,
                         EventBuffer& events) {
  constexpr uint8_t kControl = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst;
  if ((table_->hot(slot).flags & flow_flag::kBypassed) != 0) return;
  if (events.Wants(EventKind::kPacket))
    EmitPacket(EventKind::kPacket, frame, packet, slot, side, events);
  if (!events.Wants(EventKind::kSegment) || packet.protocol != ip_protocol::kTcp) return;
  const bool tells = packet.payload_wire_length != 0 || (packet.tcp_flags & kControl) != 0;
  if (tells && (packet.flags & packet_flag::kTcpFields) != 0)
    EmitPacket(EventKind::kSegment, frame, packet, slot, side, events);
}

void FlowTracker::EmitPacket(EventKind kind, const Frame& frame, const Packet& packet,
                             uint32_t slot, int side, EventBuffer& events) {
  const FlowHot& hot = table_->hot(slot);
  Event& event = events.Add(kind);
  event.direction = static_cast<uint8_t>(side ^ (hot.flags & flow_flag::kInitiatorIsB));
  event.flow = HandleOf(slot);
  event.time_ns = packet.timestamp_ns;
  event.packet = &packet;
  event.frame = &frame;
  if ((packet.flags & packet_flag::kIcmpError) != 0)
    event.about = AboutFlow(packet, hot.key.tunnel);
}

// The flow that the packet quoted by an ICMP error belongs to. What stood around the error stood
// around that packet, too: its own tunnels come behind.
FlowHandle FlowTracker::AboutFlow(const Packet& error, uint32_t tunnel) {
  Packet& quoted = batch_->quoted;
  TunnelPath& path = batch_->quoted_path;
  TunnelPath around;  // with the embedder's part at its end
  tunnels_->PathOf(tunnel, around);
  const int own = error.tunnel != nullptr ? error.tunnel->length : 0;
  path.Clear();
  if (error.tunnel != nullptr) path = *error.tunnel;
  quoted = Packet{};
  batch_->decoder.DecodeIp(error.payload, error.payload_length, quoted, path);
  if (quoted.verdict == Verdict::kFragmentHeld && quoted.fragment_offset == 0) {
    batch_->decoder.DecodePayload(quoted.payload, quoted.payload_length, quoted.payload_wire_length,
                                  quoted.protocol, quoted, path);
  }
  if (quoted.verdict != Verdict::kTracked) return {};
  if (around.length > own) path.Append(PathElement::kExtension, around.bytes + own + 1, 8);
  const std::optional<uint32_t> inner = tunnels_->Find(path);
  if (!inner.has_value()) return {};
  PreparedKey key;
  PrepareKey(rules_, quoted, *inner, key);
  const uint32_t slot = table_->Find(key);
  return slot == kNoSlot ? FlowHandle{} : HandleOf(slot);
}

}  // namespace weir

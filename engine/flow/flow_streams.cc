#include "engine/flow/flow_streams.h"

#include <utility>

namespace weir {

absl::StatusOr<std::unique_ptr<FlowStreams>> FlowStreams::Create(const StreamOptions& options,
                                                                 FlowTable& table,
                                                                 const FlowClock& clock) {
  std::unique_ptr<FlowStreams> streams(new FlowStreams(table, clock));
  auto reassembler = Reassembler::Create(options, *streams);
  if (!reassembler.ok()) return reassembler.status();
  streams->reassembler_ = *std::move(reassembler);
  return streams;
}

void FlowStreams::Attach(EventBuffer* events) {
  events_ = events;
  wants_data_ = Wants(EventKind::kStreamData);
}

// Each piece that waits may come with a hole before it, and every second one with a stream that
// ends behind another hole; the largest packet is 32 pieces.
size_t FlowStreams::MostEvents() const {
  constexpr size_t kPerPacket = 80;
  return 3 * size_t{reassembler_->most_pieces()} + kPerPacket * kBatchFrames + kMostConflicts;
}

void FlowStreams::Acknowledge(const FlowHot& hot, const Packet& packet, int side, int64_t time_ns) {
  const bool known = (packet.flags & packet_flag::kTcpFields) != 0;
  if (!known || (packet.tcp_flags & tcp_flag::kAck) == 0) return;
  reassembler_->Acknowledge(hot.stream, side ^ 1, packet.tcp_ack, time_ns);
}

void FlowStreams::Refuse(const Packet& packet, Refused reason) {
  if (packet.payload_length == 0) return;
  ++refused_.segments;
  refused_.payload += packet.payload_length;
  refused_.refused[static_cast<size_t>(reason)] += packet.payload_length;
}

// The first segment of a stream, and all that are not simply its next one. What a RST carries tells
// why it was sent, and is not part of the stream.
void FlowStreams::TakeOdd(uint32_t slot, FlowHot& hot, const Packet& packet, int side,
                          int64_t time_ns) {
  constexpr uint8_t kSyns = history_bit::kSyn | history_bit::kSynAck;
  if ((packet.flags & packet_flag::kTcpFields) == 0) return;
  if ((packet.tcp_flags & tcp_flag::kRst) != 0) return Refuse(packet, Refused::kAfterEnd);
  if ((hot.flags & flow_flag::kBypassed) != 0) return Refuse(packet, Refused::kStopped);
  const auto First = [&] { return table_.cold(slot).initial_seq[side] + 1; };
  const uint32_t sequence = packet.tcp_seq + ((packet.tcp_flags & tcp_flag::kSyn) != 0);
  if (hot.stream == kNoConnection) {
    if (packet.payload_wire_length == 0 && sequence == First()) return;  // nothing was ever sent
    hot.stream = reassembler_->Open(slot);
    if (hot.stream == kNoConnection) return Refuse(packet, Refused::kNoConnection);
  }
  if (!reassembler_->begun(hot.stream, side)) {
    reassembler_->Begin(hot.stream, side, First(), (hot.letters[side] & kSyns) == 0);
  }
  StreamSegment segment;
  segment.sequence = sequence;
  segment.payload = packet.payload;
  segment.length = packet.payload_length;
  segment.wire_length = packet.payload_wire_length;
  segment.fin = (packet.tcp_flags & tcp_flag::kFin) != 0;
  segment.time_ns = time_ns;
  reassembler_->Segment(hot.stream, side, segment);
}

void FlowStreams::Close(uint32_t slot, StreamEnd end, int64_t time_ns) {
  const FlowHot& hot = table_.hot(slot);
  if (hot.stream != kNoConnection) reassembler_->Close(hot.stream, end, time_ns);
}

void FlowStreams::Stop(FlowHot& hot, int side) {
  if (hot.stream != kNoConnection) reassembler_->Stop(hot.stream, side);
}

bool FlowStreams::LimitDepth(uint32_t slot, FlowHot& hot, int side, uint64_t depth) {
  if (hot.stream == kNoConnection) hot.stream = reassembler_->Open(slot);
  if (hot.stream == kNoConnection) return false;
  reassembler_->LimitDepth(hot.stream, side, depth);
  return true;
}

bool FlowStreams::Keep(const FlowHot& hot, int side, const StreamData& data, uint32_t size) {
  return hot.stream != kNoConnection && reassembler_->Keep(hot.stream, side, data, size);
}

StreamTotals FlowStreams::totals(const FlowHot& hot, int side) const {
  return hot.stream == kNoConnection ? StreamTotals{} : reassembler_->totals(hot.stream, side);
}

StreamCounters FlowStreams::counters() const {
  StreamCounters counters = reassembler_->counters();
  counters.Add(refused_);
  return counters;
}

Event& FlowStreams::Add(EventKind kind, uint32_t slot, const FlowHot& hot, int side,
                        int64_t time_ns) {
  Event& event = events_->Add(kind);
  event.direction = static_cast<uint8_t>(side ^ (hot.flags & flow_flag::kInitiatorIsB));
  event.flow = {slot, hot.generation};
  event.time_ns = time_ns;
  return event;
}

Event& FlowStreams::Tell(EventKind kind, uint32_t slot, int side, int64_t flow_time_ns) {
  return Add(kind, slot, table_.hot(slot), side, clock_.ToTimestamp(flow_time_ns));
}

void FlowStreams::EmitInOrder(uint32_t slot, const FlowHot& hot, const Packet& packet, int side,
                              uint64_t offset) {
  Event& event = Add(EventKind::kStreamData, slot, hot, side, packet.timestamp_ns);
  event.offset = offset;
  event.size = packet.payload_length;
  event.data = packet.payload;
}

void FlowStreams::OnData(uint32_t owner, int side, const StreamData& data) {
  if (!wants_data_) return;
  Event& event = Tell(EventKind::kStreamData, owner, side, data.time_ns);
  event.offset = data.offset;
  event.size = data.size;
  event.data = data.data;
  event.kept = data.kept;
}

void FlowStreams::OnHole(uint32_t owner, int side, const StreamHole& hole) {
  if (!Wants(EventKind::kStreamHole)) return;
  Event& event = Tell(EventKind::kStreamHole, owner, side, hole.time_ns);
  event.offset = hole.offset;
  event.size = hole.size;
  event.reason = hole.reason;
}

void FlowStreams::OnConflict(uint32_t owner, int side, const StreamConflict& conflict) {
  if (!Wants(EventKind::kStreamConflict) || ++conflicts_ > kMostConflicts) return;
  Event& event = Tell(EventKind::kStreamConflict, owner, side, conflict.time_ns);
  event.offset = conflict.offset;
  event.size = conflict.size;
  event.data = conflict.data;
  event.new_wins = conflict.new_wins;
}

void FlowStreams::OnEnd(uint32_t owner, int side, StreamEnd end, uint64_t offset, int64_t time_ns) {
  if (!Wants(EventKind::kStreamEnd)) return;
  Event& event = Tell(EventKind::kStreamEnd, owner, side, time_ns);
  event.offset = offset;
  event.end = end;
}

void FlowStreams::OnWaiting(uint32_t owner, int side, bool waiting) {
  uint8_t& letters = table_.hot(owner).letters[side];
  letters = static_cast<uint8_t>(waiting ? letters | history_bit::kWaiting
                                         : letters & ~history_bit::kWaiting);
}

}  // namespace weir

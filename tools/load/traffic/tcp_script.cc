#include "tools/load/traffic/tcp_script.h"

#include <algorithm>

#include "engine/packet/packet.h"
#include "tools/load/traffic/transport_writer.h"

namespace weir::load {
namespace {

constexpr uint32_t kClosingPackets = 3;  // FIN, FIN, ACK
constexpr int kMostSkipped = 8;          // segments in a row that are displaced or lost
constexpr uint16_t kUnscaledWindow = 65'535;

bool FinWasSent(const OpenFlow& flow, int direction) {
  return flow.stage == FlowStage::kLastAck || flow.stage == FlowStage::kEnded ||
         (flow.stage == FlowStage::kFinBack && direction == flow.closer);
}

}  // namespace

TcpScript::TcpScript(const TrafficProfile& profile, Random& random, DisplacedSegments& displaced,
                     Truth& truth)
    : handshake_(profile.handshake),
      acknowledge_every_(profile.ack_every),
      reorder_distance_(profile.reorder_distance),
      from_server_(ShareOf32Bits(profile.from_server)),
      reset_(ShareOf32Bits(profile.reset)),
      reorder_(ShareOf32Bits(profile.reorder)),
      loss_(ShareOf32Bits(profile.loss)),
      overlap_(ShareOf32Bits(profile.overlap)),
      sequence_seed_(Mix64(profile.seed + 3)),
      sizes_(profile.sizes, profile.size_unit),
      random_(random),
      displaced_(displaced),
      counts_(truth) {}

void TcpScript::Start(OpenFlow& flow) const {
  flow.stage = handshake_ ? FlowStage::kSyn : FlowStage::kData;
  const uint64_t numbers = Mix64(sequence_seed_ + flow.number);
  flow.initial[0] = static_cast<uint32_t>(numbers);
  flow.initial[1] = static_cast<uint32_t>(numbers >> 32);
}

// Any packet but a data segment; one that bears data differs in its sequence number only.
PacketPlan TcpScript::Plan(OpenFlow& flow, const FlowTruth& truth, int direction, uint8_t flags) {
  const int other = 1 - direction;
  const uint64_t reached = truth.stream_bytes[other];
  const uint64_t expected =
      displaced_.FirstMissing(flow.displaced, static_cast<uint8_t>(other), reached);
  PacketPlan plan{.direction = static_cast<uint8_t>(direction), .tcp_flags = flags};
  const bool syn = (flags & tcp_flag::kSyn) != 0;
  plan.sequence = flow.initial[direction] + static_cast<uint32_t>(flow.next[direction]) +
                  (syn ? 0 : 1) + (FinWasSent(flow, direction) ? 1 : 0);
  if ((flags & tcp_flag::kAck) != 0) {
    plan.acknowledgement = flow.initial[other] + 1 + static_cast<uint32_t>(expected) +
                           (FinWasSent(flow, other) ? 1 : 0);
  }
  // What waits behind a missing segment lies in the window: it makes it no smaller.
  plan.window = handshake_ && !syn ? kReceiveBuffer >> kWindowScale : kUnscaledWindow;
  flow.unacknowledged_bytes[other] = 0;
  flow.unacknowledged_segments[other] = 0;
  return plan;
}

PacketPlan TcpScript::Segment(OpenFlow& flow, FlowTruth& truth, int direction, uint64_t offset,
                              uint32_t bytes) {
  PacketPlan plan = Plan(flow, truth, direction, tcp_flag::kAck);
  plan.sequence = flow.initial[direction] + 1 + static_cast<uint32_t>(offset);
  plan.payload = bytes;
  plan.offset = offset;
  uint64_t& reached = truth.stream_bytes[direction];
  const uint64_t end = offset + bytes;
  if (end > reached) {
    if (offset > reached) truth.missing_bytes[direction] += static_cast<uint32_t>(offset - reached);
    reached = end;
  } else {
    truth.missing_bytes[direction] -= bytes;  // displaced, and others came before
  }
  flow.unacknowledged_bytes[direction] += bytes;
  ++flow.unacknowledged_segments[direction];
  return plan;
}

PacketPlan TcpScript::NextDisplaced(OpenFlow& flow, FlowTruth& truth) {
  const DisplacedSegment segment = displaced_.TakeFirst(flow.displaced);
  return Segment(flow, truth, segment.direction, segment.offset, segment.bytes);
}

// Whether a segment, which would start at `next`, does not come now; it is left behind.
bool TcpScript::SkipSegment(OpenFlow& flow, int direction, uint32_t bytes, uint64_t& spare) {
  if ((reorder_ | loss_) == 0 || bytes == 0 || !flow.started[direction]) return false;
  if (random_.Chance(reorder_) && spare > 0) {
    const uint32_t distance = 1 + random_.Below(reorder_distance_);
    displaced_.Add(flow.displaced, {.offset = flow.next[direction],
                                    .bytes = bytes,
                                    .due = flow.packets + distance,
                                    .direction = static_cast<uint8_t>(direction)});
    --spare;
    ++counts_.displaced;
  } else if (random_.Chance(loss_)) {
    ++counts_.lost;
  } else {
    return false;
  }
  flow.next[direction] += bytes;
  flow.recent[direction] = 0;
  return true;
}

// How many of a segment's bytes are those before it again.
uint32_t TcpScript::RepeatedBytes(const OpenFlow& flow, int direction, uint32_t bytes) {
  if (overlap_ == 0) return 0;
  const uint32_t most = std::min(flow.recent[direction], bytes == 0 ? 0 : bytes - 1);
  if (most == 0 || !random_.Chance(overlap_)) return 0;
  ++counts_.overlaps;
  return 1 + random_.Below(most);
}

PacketPlan TcpScript::Data(OpenFlow& flow, FlowTruth& truth, uint32_t header_bytes,
                           uint64_t spare) {
  const int direction = flow.started[0] && random_.Chance(from_server_) ? 1 : 0;
  uint32_t bytes = sizes_.Next(random_, header_bytes);
  for (int i = 0; i < kMostSkipped && SkipSegment(flow, direction, bytes, spare); ++i) {
    // What is left behind is followed by data, which shows that it is missing.
    if (const uint32_t next = sizes_.Next(random_, header_bytes); next != 0) bytes = next;
  }
  const uint32_t repeated = RepeatedBytes(flow, direction, bytes);
  const uint64_t offset = flow.next[direction] - repeated;
  flow.next[direction] = offset + bytes;
  flow.recent[direction] = bytes;
  flow.started[direction] = flow.started[direction] || bytes != 0;
  return Segment(flow, truth, direction, offset, bytes);
}

PacketPlan TcpScript::Handshake(OpenFlow& flow, const FlowTruth& truth) {
  if (flow.stage == FlowStage::kSyn) {
    flow.stage = FlowStage::kSynAck;
    return Plan(flow, truth, 0, tcp_flag::kSyn);
  }
  if (flow.stage == FlowStage::kSynAck) {
    flow.stage = FlowStage::kHandshakeAck;
    return Plan(flow, truth, 1, tcp_flag::kSyn | tcp_flag::kAck);
  }
  flow.stage = FlowStage::kData;
  flow.started[0] = flow.started[1] = true;
  return Plan(flow, truth, 0, tcp_flag::kAck);
}

PacketPlan TcpScript::Close(OpenFlow& flow, FlowTruth& truth) {
  if (flow.stage == FlowStage::kSettle) {
    flow.closer = static_cast<uint8_t>(random_.Below(2));
    const bool reset = random_.Chance(reset_);
    const uint8_t flag = reset ? tcp_flag::kRst : tcp_flag::kFin;
    const PacketPlan plan =
        Plan(flow, truth, flow.closer, static_cast<uint8_t>(flag | tcp_flag::kAck));
    flow.stage = reset ? FlowStage::kEnded : FlowStage::kFinBack;
    if (reset) truth.fate = FlowFate::kRst;
    return plan;
  }
  if (flow.stage == FlowStage::kFinBack) {
    const PacketPlan plan = Plan(flow, truth, 1 - flow.closer, tcp_flag::kFin | tcp_flag::kAck);
    flow.stage = FlowStage::kLastAck;
    return plan;
  }
  truth.fate = FlowFate::kFin;
  const PacketPlan plan = Plan(flow, truth, flow.closer, tcp_flag::kAck);
  flow.stage = FlowStage::kEnded;
  return plan;
}

// Who sends an acknowledgement alone; -1: nobody has to.
int TcpScript::WhoAcknowledges(const OpenFlow& flow) const {
  if (acknowledge_every_ == 0) return -1;
  for (int sender = 0; sender < 2; ++sender) {
    if (flow.unacknowledged_segments[sender] >= acknowledge_every_ ||
        flow.unacknowledged_bytes[sender] > kReceiveBuffer / 4) {
      return 1 - sender;
    }
  }
  return -1;
}

// The first one's time has come, or what is behind one fills the window.
bool TcpScript::DisplacedIsDue(const OpenFlow& flow) const {
  if (flow.displaced == kNoSegment) return false;
  if (displaced_.First(flow.displaced).due <= flow.packets) return true;
  for (uint8_t side = 0; side < 2; ++side) {
    const uint64_t next = flow.next[side];
    if (next - displaced_.FirstMissing(flow.displaced, side, next) > kReceiveBuffer / 2)
      return true;
  }
  return false;
}

PacketPlan TcpScript::Next(OpenFlow& flow, FlowTruth& truth, uint32_t header_bytes,
                           uint64_t spare) {
  if (flow.stage < FlowStage::kData) return Handshake(flow, truth);
  const uint32_t rest = handshake_ ? kClosingPackets : 1;
  const bool last = flow.most_packets != kNoEnd && flow.packets + rest >= flow.most_packets;
  if (flow.stage == FlowStage::kData && last && handshake_) flow.stage = FlowStage::kSettle;
  if (flow.stage == FlowStage::kSettle || flow.stage == FlowStage::kData) {
    if (DisplacedIsDue(flow) || (last && flow.displaced != kNoSegment)) {
      return NextDisplaced(flow, truth);
    }
  }
  if (flow.stage >= FlowStage::kSettle) return Close(flow, truth);
  if (last) flow.stage = FlowStage::kEnded;  // in the middle: it is heard of no more
  if (const int who = WhoAcknowledges(flow); who >= 0) {
    return Plan(flow, truth, who, tcp_flag::kAck);
  }
  return Data(flow, truth, header_bytes, last ? 0 : spare);
}

}  // namespace weir::load

// The TCP side of the flow tracker: sequence numbers, the life cycle, resets, port reuse.

#include "engine/flow/flow_batch.h"
#include "engine/flow/flow_history.h"
#include "engine/tcp/tcp_state.h"

namespace weir {
namespace {

// The first phases are the TCP states, in their order.
static_assert(static_cast<int>(Phase::kTcpMidstream) == static_cast<int>(TcpState::kMidstream));
static_assert(static_cast<int>(Phase::kTcpEstablished) == static_cast<int>(TcpState::kEstablished));
static_assert(static_cast<int>(Phase::kTcpReset) == static_cast<int>(TcpState::kReset));

TcpState StateOf(Phase phase) { return static_cast<TcpState>(phase); }
Phase PhaseOf(TcpState state) { return static_cast<Phase>(state); }

uint32_t SequenceEnd(const Packet& packet) {
  return packet.tcp_seq + packet.payload_wire_length + ((packet.tcp_flags & tcp_flag::kSyn) != 0) +
         ((packet.tcp_flags & tcp_flag::kFin) != 0);
}

uint8_t LettersOf(const Packet& packet) {
  const uint8_t flags = packet.tcp_flags;
  uint8_t letters = 0;
  if ((flags & tcp_flag::kSyn) != 0) {
    letters |= (flags & tcp_flag::kAck) != 0 ? history_bit::kSynAck : history_bit::kSyn;
  }
  if (packet.payload_wire_length != 0) letters |= history_bit::kData;
  if ((flags & tcp_flag::kFin) != 0) letters |= history_bit::kFin;
  if ((flags & tcp_flag::kRst) != 0) letters |= history_bit::kRst;
  return letters != 0 ? letters : history_bit::kAck;
}

TcpEvent EventOf(uint8_t flags, bool initiator, bool other_sent_fin) {
  if ((flags & tcp_flag::kSyn) != 0) {
    if ((flags & tcp_flag::kAck) != 0) {
      return initiator ? TcpEvent::kSynAckFromInitiator : TcpEvent::kSynAckFromResponder;
    }
    return initiator ? TcpEvent::kSynFromInitiator : TcpEvent::kSynFromResponder;
  }
  if ((flags & tcp_flag::kFin) != 0) {
    return other_sent_fin ? TcpEvent::kFinFromBoth : TcpEvent::kFinFromOne;
  }
  return initiator ? TcpEvent::kSegmentFromInitiator : TcpEvent::kSegmentFromResponder;
}

}  // namespace

// A connection's first packet tells who is who: the sender of a SYN+ACK is the responder.
void FlowTracker::StartTcp(FlowHot& hot, const Packet& packet) const {
  const uint8_t flags = packet.tcp_flags;
  if ((flags & tcp_flag::kSyn) == 0) {
    hot.flags |= flow_flag::kMidstream;
  } else if ((flags & tcp_flag::kAck) != 0 && rules_.bidirectional) {
    hot.flags ^= flow_flag::kInitiatorIsB;
  }
}

void FlowTracker::TrackTcpControl(uint32_t slot, FlowHot& hot, const Packet& packet, int side,
                                  EventBuffer& events) {
  FlipIfMistaken(slot, hot, packet, side);
  const uint8_t fresh = LettersOf(packet) & static_cast<uint8_t>(~hot.letters[side]);
  if (fresh != 0) NoteHistory(slot, hot, side, fresh);
  if ((packet.flags & packet_flag::kTcpFields) == 0) return;

  const bool known = (hot.letters[side] & history_bit::kSeen) != 0;
  if ((packet.tcp_flags & tcp_flag::kRst) != 0) {
    TrackReset(slot, hot, packet, side, known, events);
    return;
  }
  if (!known) LearnSide(slot, hot, packet, side);
  const bool tries_again =
      hot.phase == Phase::kTcpReset && (packet.tcp_flags & tcp_flag::kSyn) != 0;
  if (tries_again) SetPhase(slot, hot, Phase::kTcpSynSent, events);
  AdvanceSequence(hot.next_seq[side], SequenceEnd(packet));
  NoteAcknowledgement(hot, packet, side);
  hot.flags = static_cast<uint8_t>(hot.flags & ~flow_flag::kDoubtfulRst);

  const bool initiator = side == (hot.flags & flow_flag::kInitiatorIsB);
  const bool other_sent_fin = (hot.tcp_flags[side ^ 1] & tcp_flag::kFin) != 0;
  TcpState state = Next(StateOf(hot.phase), EventOf(packet.tcp_flags, initiator, other_sent_fin));
  constexpr uint8_t kBothAcked = flow_flag::kFinAckedA | flow_flag::kFinAckedB;
  if ((hot.flags & kBothAcked) == kBothAcked) state = Next(state, TcpEvent::kFinsAcked);
  SetPhase(slot, hot, PhaseOf(state), events);
}

// The first packet of a side that carries sequence numbers.
void FlowTracker::LearnSide(uint32_t slot, FlowHot& hot, const Packet& packet, int side) {
  const bool syn = (packet.tcp_flags & tcp_flag::kSyn) != 0;
  hot.letters[side] |= history_bit::kSeen;
  hot.next_seq[side] = packet.tcp_seq;
  table_->cold(slot).initial_seq[side] = syn ? packet.tcp_seq : packet.tcp_seq - 1;
}

// The initiator sent the SYN, the responder the SYN+ACK, whatever came first.
void FlowTracker::FlipIfMistaken(uint32_t slot, FlowHot& hot, const Packet& packet, int side) {
  if (hot.phase != Phase::kTcpMidstream || (packet.tcp_flags & tcp_flag::kSyn) == 0) return;
  if (!rules_.bidirectional) return;
  const bool initiator = side == (hot.flags & flow_flag::kInitiatorIsB);
  const bool answers = (packet.tcp_flags & tcp_flag::kAck) != 0;
  if (initiator != answers) return;
  hot.flags ^= flow_flag::kInitiatorIsB;
  History(table_->cold(slot).history).Flip();
}

void FlowTracker::NoteAcknowledgement(FlowHot& hot, const Packet& packet, int side) {
  const int other = side ^ 1;
  if ((packet.tcp_flags & tcp_flag::kAck) == 0 || (hot.letters[other] & history_bit::kSeen) == 0)
    return;
  AdvanceSequence(hot.next_seq[other], packet.tcp_ack);
  const bool other_sent_fin = (hot.tcp_flags[other] & tcp_flag::kFin) != 0;
  if (other_sent_fin && packet.tcp_ack == hot.next_seq[other]) {
    hot.flags |= other == 0 ? flow_flag::kFinAckedA : flow_flag::kFinAckedB;
  }
}

// RFC 5961 section 3, and RFC 9293 section 3.10.7.3 where a SYN awaits its answer: there the
// acknowledgement number is what makes a RST acceptable.
void FlowTracker::TrackReset(uint32_t slot, FlowHot& hot, const Packet& packet, int side,
                             bool known, EventBuffer& events) {
  const bool other_known = (hot.letters[side ^ 1] & history_bit::kSeen) != 0;
  ResetVerdict verdict = ResetVerdict::kAccept;
  if (known) {
    verdict =
        JudgeReset(packet.tcp_seq, hot.next_seq[side], (hot.tcp_flags[side] & tcp_flag::kFin) != 0);
  } else if (other_known && (packet.tcp_flags & tcp_flag::kAck) != 0) {
    verdict = JudgeReset(packet.tcp_ack, hot.next_seq[side ^ 1], false);
  }
  if (verdict == ResetVerdict::kIgnore) {
    ++counters_.resets_ignored;
    return;
  }
  if (verdict == ResetVerdict::kDoubt && !IsEnded(StateOf(hot.phase))) {
    ++counters_.resets_doubted;
    hot.flags |= flow_flag::kDoubtfulRst;
    Rearm(slot, hot);
    return;
  }
  SetPhase(slot, hot, PhaseOf(Next(StateOf(hot.phase), TcpEvent::kReset)), events);
}

void FlowTracker::SetPhase(uint32_t slot, FlowHot& hot, Phase phase, EventBuffer& events) {
  if (hot.phase == phase) return;
  const bool opens = hot.phase < Phase::kTcpEstablished && phase == Phase::kTcpEstablished;
  const bool shorter =
      timeouts_[static_cast<size_t>(phase)] < timeouts_[static_cast<size_t>(hot.phase)];
  cheap_ -= Cheap(hot);
  hot.phase = phase;
  cheap_ += Cheap(hot);
  if (shorter) Rearm(slot, hot);
  if (opens) {
    ++counters_.established;
    Emit(EventKind::kFlowEstablished, slot, FlowEnd::kNone, events);
  }
}

// Port reuse: a SYN with another initial sequence number, or any SYN once the connection is over.
// An attempt that was refused (SYN, RST) and is repeated with the same number is still the same
// attempt. A SYN+ACK starts a flow only where it cannot belong to the last one, its SYN having been
// missed. SYN with FIN or RST is no beginning (RFC 9293 section 3.10.7.4 looks at RST first).
bool FlowTracker::StartsNewConnection(uint32_t slot, const FlowHot& hot, const Packet& packet,
                                      int side) const {
  constexpr uint8_t kEnds = tcp_flag::kFin | tcp_flag::kRst;
  if ((packet.flags & packet_flag::kTcpFields) == 0 || (packet.tcp_flags & kEnds) != 0)
    return false;
  const uint8_t past = hot.tcp_flags[0] | hot.tcp_flags[1];
  const bool over = (past & kEnds) != 0;
  const bool known = (hot.letters[side] & history_bit::kSeen) != 0;
  const bool same = known && packet.tcp_seq == table_->cold(slot).initial_seq[side];
  if ((packet.tcp_flags & tcp_flag::kAck) != 0) return known && !same && over;
  if (known && !same) return true;
  const bool refused = (hot.letters[side ^ 1] & history_bit::kSynAck) == 0 &&
                       (hot.letters[side] & history_bit::kSyn) != 0 && (past & tcp_flag::kFin) == 0;
  return over && !(same && refused);
}

}  // namespace weir

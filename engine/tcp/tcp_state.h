// The life cycle of a TCP connection as an observer sees it: a table of states and what happened.
// RFC 9293 section 3.3.2 for the connection's own states; RFC 5961 sections 3 and 4 for RST and
// SYN.
//
// Pure: no memory, no time. A container of flows decides what a SYN means for port reuse before it
// asks here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace weir {

enum class TcpState : uint8_t {
  kMidstream,    // joined in the middle, one side heard
  kSynSent,      // SYN seen
  kSynReceived,  // SYN and SYN+ACK seen, or both SYNs of a simultaneous open
  kEstablished,
  kHalfClosed,  // one side has sent FIN
  kClosing,     // both have, not both are acknowledged
  kClosed,
  kReset,
  kCount,
};

enum class TcpEvent : uint8_t {
  kSynFromInitiator,
  kSynFromResponder,
  kSynAckFromInitiator,
  kSynAckFromResponder,
  kSegmentFromInitiator,  // neither SYN, FIN nor RST
  kSegmentFromResponder,
  kFinFromOne,   // FIN, and the other side has sent none
  kFinFromBoth,  // FIN, and now both sides have sent one
  kFinsAcked,    // both FINs are acknowledged
  kReset,        // an acceptable RST
  kCount,
};

namespace tcp_state_internal {

using Row = std::array<TcpState, static_cast<size_t>(TcpEvent::kCount)>;
inline constexpr auto M = TcpState::kMidstream;
inline constexpr auto S = TcpState::kSynSent;
inline constexpr auto Y = TcpState::kSynReceived;
inline constexpr auto E = TcpState::kEstablished;
inline constexpr auto H = TcpState::kHalfClosed;
inline constexpr auto C = TcpState::kClosing;
inline constexpr auto D = TcpState::kClosed;
inline constexpr auto R = TcpState::kReset;

// A move that a connection cannot make leaves the state as it is:
//  - SYN+ACK by the side that sent the SYN, before the other's SYN was seen: not an answer to
//  anything;
//  - SYN on an established connection: the receiver answers with a challenge ACK (RFC 5961
//  section 4.2);
//  - both FINs acknowledged before both were seen;
//  - anything after the end: late packets.
// Segments in kSynSent and kSynReceived lead to kEstablished whoever sends them: a part of the
// handshake was lost by the capture or went another way. RST after both FINs closes the connection:
// both sides had said all they had to say.
inline constexpr std::array<Row, static_cast<size_t>(TcpState::kCount)> kNext = {{
    // SynI SynR SAckI SAckR SegI SegR Fin1 Fin2 Acked Rst
    {S, S, M, Y, M, E, H, C, M, R},  // kMidstream
    {S, Y, S, Y, E, E, H, C, S, R},  // kSynSent
    {Y, Y, E, Y, E, E, H, C, Y, R},  // kSynReceived
    {E, E, E, E, E, E, H, C, E, R},  // kEstablished
    {H, H, H, H, H, H, H, C, H, R},  // kHalfClosed
    {C, C, C, C, C, C, C, C, D, D},  // kClosing
    {D, D, D, D, D, D, D, D, D, D},  // kClosed
    {R, R, R, R, R, R, R, R, R, R},  // kReset
}};

}  // namespace tcp_state_internal

constexpr TcpState Next(TcpState state, TcpEvent event) {
  return tcp_state_internal::kNext[static_cast<size_t>(state)][static_cast<size_t>(event)];
}

constexpr bool IsEnded(TcpState state) {
  return state == TcpState::kClosed || state == TcpState::kReset;
}

// Sequence numbers are compared modulo 2^32: RFC 9293 section 3.4. Positive when `left` comes after
// `right`.
constexpr int32_t SequenceDistance(uint32_t left, uint32_t right) {
  return static_cast<int32_t>(left - right);
}

// Moves `next` on to `to`, never back; a number more than 2^30 ahead is not believed.
constexpr void AdvanceSequence(uint32_t& next, uint32_t to) {
  const int32_t distance = SequenceDistance(to, next);
  if (distance > 0 && distance < (1 << 30)) next = to;
}

enum class ResetVerdict : uint8_t {
  kAccept,  // ends the connection
  kDoubt,   // near, but not the expected number: a receiver would send a challenge ACK (RFC 5961
            // section 3.2)
  kIgnore,  // outside any window
};

// Judges the sequence number of a RST. `expected` is the next number that the receiver waits for,
// as far as the observer knows; `fin_sent` says that the sender's FIN is part of it.
constexpr ResetVerdict JudgeReset(uint32_t sequence, uint32_t expected, bool fin_sent) {
  constexpr int32_t kWindow = 1 << 20;
  const int32_t distance = SequenceDistance(sequence, expected);
  if (distance == 0 || (fin_sent && distance == -1)) return ResetVerdict::kAccept;
  return distance > -kWindow && distance < kWindow ? ResetVerdict::kDoubt : ResetVerdict::kIgnore;
}

}  // namespace weir

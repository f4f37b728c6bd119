// The steady state: a TCP segment of an IPv4 flow that moves nothing but counters, the time and
// sequence numbers. Nearly every packet is one, so that each instruction here counts. Private to
// engine/flow.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>

#include "engine/flow/flow_batch.h"
#include "engine/tcp/tcp_state.h"

namespace weir {
namespace steady {

// What stands in the hot line behind the key: looked at in one word.
struct LineState {
  uint8_t protocol = ip_protocol::kTcp;
  AddressFamily family = AddressFamily::kIpv4;
  Phase phase{};
  uint8_t flags = 0;
  uint8_t tcp_flags[2] = {0, 0};
  uint8_t letters[2] = {0, 0};
};
static_assert(sizeof(LineState) == sizeof(uint64_t));
static_assert(offsetof(LineState, phase) == offsetof(FlowHot, phase) - offsetof(FlowHot, protocol));
static_assert(offsetof(LineState, letters) ==
              offsetof(FlowHot, letters) - offsetof(FlowHot, protocol));

// A flow is steady for a segment where (state & mask) == value.
struct StateTest {
  uint64_t mask;
  uint64_t value;
};

inline constexpr auto kAllFamilies = static_cast<AddressFamily>(0xff);
inline constexpr auto kAllPhases = static_cast<Phase>(0xff);
inline constexpr uint8_t kOddFlow = flow_flag::kDoubtfulRst | flow_flag::kLagging;

constexpr LineState AllOfKey() {
  LineState mask;
  mask.protocol = 0xff;
  mask.family = kAllFamilies;
  mask.phase = kAllPhases;
  return mask;
}

// The handshake is over, or the flow was joined and answered: both sides are known.
constexpr StateTest EstablishedTest(int side, uint8_t letter) {
  LineState mask = AllOfKey();
  LineState value;
  value.phase = Phase::kTcpEstablished;
  mask.flags = flow_flag::kAnswered | kOddFlow;
  value.flags = flow_flag::kAnswered;
  mask.letters[side] = value.letters[side] = letter | history_bit::kSeen;
  return {std::bit_cast<uint64_t>(mask), std::bit_cast<uint64_t>(value)};
}

// Joined in the middle, and only this side was heard.
constexpr StateTest OneSidedTest(int side, uint8_t letter) {
  LineState mask = AllOfKey();
  LineState value;
  value.phase = Phase::kTcpMidstream;
  mask.flags = flow_flag::kAnswered | flow_flag::kInitiatorIsB | kOddFlow;
  value.flags = side == 1 ? flow_flag::kInitiatorIsB : 0;
  mask.letters[side] = value.letters[side] = letter | history_bit::kSeen;
  mask.letters[side ^ 1] = 0xff;
  return {std::bit_cast<uint64_t>(mask), std::bit_cast<uint64_t>(value)};
}

struct StateTests {
  StateTest established;
  StateTest one_sided;
};

constexpr StateTests TestsFor(int side, uint8_t letter) {
  return {EstablishedTest(side, letter), OneSidedTest(side, letter)};
}

// By side and whether there is payload.
inline constexpr StateTests kSteady[] = {
    TestsFor(0, history_bit::kAck), TestsFor(0, history_bit::kData), TestsFor(1, history_bit::kAck),
    TestsFor(1, history_bit::kData)};

inline bool Passes(uint64_t state, const StateTest& test) {
  return (state & test.mask) == test.value;
}

inline uint64_t StateOf(const FlowHot& hot) {
  uint64_t state;
  std::memcpy(&state, reinterpret_cast<const char*>(&hot) + offsetof(FlowHot, protocol),
              sizeof state);
  return state;
}

inline bool SameKey(const CompactKey& left, const CompactKey& right) {
  uint64_t l[2], r[2];
  std::memcpy(l, &left, sizeof l);
  std::memcpy(r, &right, sizeof r);
  return ((l[0] ^ r[0]) | (l[1] ^ r[1])) == 0;
}

}  // namespace steady

// What TrackSteady needs of the tracker, copied, so that nothing that is stored through the lines
// can change it.
struct FlowTracker::SteadyRules {
  int64_t established_ns;  // time-outs
  int64_t one_sided_ns;
};

// `now_ns` is the packet's time and the flow clock's. False, and nothing was done, when the packet
// may be more than steady.
inline bool FlowTracker::TrackSteady(const SteadyRules& rules, FlowTable& table, uint32_t slot,
                                     const Packet& packet, const PreparedKey& key, int64_t now_ns) {
  FlowHot& hot = table.hot(slot);
  if (!IsPlainSegment(packet) || !steady::SameKey(hot.key, key.key)) [[unlikely]]
    return false;
  const size_t side = key.side;
  const steady::StateTests& tests = steady::kSteady[2 * side + (packet.payload_wire_length != 0)];
  const uint64_t state = steady::StateOf(hot);
  if (steady::Passes(state, tests.established)) {
    if (now_ns - hot.last_ns > rules.established_ns) [[unlikely]]
      return false;
    if ((packet.tcp_flags & tcp_flag::kAck) != 0)
      AdvanceSequence(hot.next_seq[side ^ 1], packet.tcp_ack);
  } else if (!steady::Passes(state, tests.one_sided) || now_ns - hot.last_ns > rules.one_sided_ns)
      [[unlikely]] {
    return false;
  }
  hot.last_ns = now_ns;
  // A byte that was just written would hold up the flow's next packet, which reads the whole word.
  if ((packet.tcp_flags & hot.tcp_flags[side]) != packet.tcp_flags) [[unlikely]]
    hot.tcp_flags[side] |= packet.tcp_flags;
  AdvanceSequence(hot.next_seq[side], packet.tcp_seq + packet.payload_wire_length);
  if (__builtin_add_overflow(hot.packets[side], 1, &hot.packets[side])) [[unlikely]]
    ++table.cold(slot).packets_high[side];
  if (__builtin_add_overflow(hot.bytes[side], packet.wire_length, &hot.bytes[side])) [[unlikely]]
    ++table.cold(slot).bytes_high[side];
  return true;
}

inline FlowTracker::SteadyRules FlowTracker::RulesOfSteady() const {
  return {timeouts_[static_cast<size_t>(Phase::kTcpEstablished)],
          timeouts_[static_cast<size_t>(Phase::kTcpMidstream)]};
}

}  // namespace weir

// The steady state: a TCP segment or UDP datagram that moves nothing but counters, the time and
// sequence numbers. Nearly every packet is one, so that each instruction here counts. Private to
// engine/flow.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>

#include "engine/flow/flow_batch.h"
#include "engine/packet/bytes.h"
#include "engine/tcp/tcp_state.h"

namespace weir {
namespace steady {

// What stands in the hot line behind the key: looked at in one word. Protocol and family are those
// in which it differs from the packet's key.
struct LineState {
  uint8_t protocol = 0;
  uint8_t family = 0;
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

inline constexpr auto kAllPhases = static_cast<Phase>(0xff);
inline constexpr uint8_t kOddFlow = flow_flag::kDoubtfulRst | flow_flag::kLagging;

constexpr LineState AllOfKey() {
  LineState mask;
  mask.protocol = mask.family = 0xff;
  mask.phase = kAllPhases;
  return mask;
}

// The handshake is over, or the flow was joined and answered: both sides are known.
constexpr StateTest EstablishedTest(Phase phase, int side, uint8_t letters) {
  LineState mask = AllOfKey();
  LineState value;
  value.phase = phase;
  mask.flags = flow_flag::kAnswered | kOddFlow;
  value.flags = flow_flag::kAnswered;
  mask.letters[side] = value.letters[side] = letters;
  return {std::bit_cast<uint64_t>(mask), std::bit_cast<uint64_t>(value)};
}

// Only this side was heard.
constexpr StateTest OneSidedTest(Phase phase, int side, uint8_t letters) {
  LineState mask = AllOfKey();
  LineState value;
  value.phase = phase;
  mask.flags = flow_flag::kAnswered | flow_flag::kInitiatorIsB | kOddFlow;
  value.flags = side == 1 ? flow_flag::kInitiatorIsB : 0;
  mask.letters[side] = value.letters[side] = letters;
  mask.letters[side ^ 1] = 0xff;
  return {std::bit_cast<uint64_t>(mask), std::bit_cast<uint64_t>(value)};
}

struct StateTests {
  StateTest established;
  StateTest one_sided;
};

// Joined in the middle, where it was not answered.
constexpr StateTests TcpTests(int side, uint8_t letter) {
  const auto letters = static_cast<uint8_t>(letter | history_bit::kSeen);
  return {EstablishedTest(Phase::kTcpEstablished, side, letters),
          OneSidedTest(Phase::kTcpMidstream, side, letters)};
}

constexpr StateTests UdpTests(int side) {
  return {EstablishedTest(Phase::kUdp, side, history_bit::kData),
          OneSidedTest(Phase::kUdp, side, history_bit::kData)};
}

// By protocol, side and whether there is payload.
inline constexpr StateTests kSteady[] = {UdpTests(0),
                                         UdpTests(0),
                                         UdpTests(1),
                                         UdpTests(1),
                                         TcpTests(0, history_bit::kAck),
                                         TcpTests(0, history_bit::kData),
                                         TcpTests(1, history_bit::kAck),
                                         TcpTests(1, history_bit::kData)};

inline bool Passes(uint64_t state, const StateTest& test) {
  return (state & test.mask) == test.value;
}

inline uint64_t StateOf(const FlowHot& hot) {
  return LoadNative<uint64_t>(reinterpret_cast<const uint8_t*>(&hot) + offsetof(FlowHot, protocol));
}

// A key's protocol and family, where StateOf has them.
inline uint64_t KindOf(const PreparedKey& key) {
  static_assert(offsetof(PreparedKey, family) == offsetof(PreparedKey, protocol) + 1);
  return LoadNative<uint16_t>(reinterpret_cast<const uint8_t*>(&key) +
                              offsetof(PreparedKey, protocol));
}

inline constexpr uint64_t kPlainKind =
    ip_protocol::kTcp | static_cast<uint64_t>(AddressFamily::kIpv4) << 8;

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
  // Time-outs, of UDP and TCP.
  int64_t established_ns[2];
  int64_t one_sided_ns[2];
};

// `now_ns` is the packet's time and the flow clock's. False, and nothing was done, when the packet
// may be more than steady. kPlain: only plain segments are taken; otherwise only usual packets are.
template <bool kPlain>
[[gnu::always_inline]] inline bool FlowTracker::TrackSteadyAs(const SteadyRules& rules,
                                                              FlowTable& table, uint32_t slot,
                                                              const Packet& packet,
                                                              const PreparedKey& key,
                                                              int64_t now_ns) {
  FlowHot& hot = table.hot(slot);
  const uint64_t shape = ShapeOf(packet);
  const bool taken = kPlain ? shape == kPlainSegment : IsUsual(shape);
  if (!taken || !steady::SameKey(hot.key, key.key)) [[unlikely]]
    return false;
  if (!kPlain && key.family != AddressFamily::kIpv4 && !table.SameAddresses(slot, key))
    return false;
  const size_t side = key.side;
  const bool tcp = kPlain || HasTcpFields(shape);
  const bool filled = packet.payload_wire_length != 0;
  const steady::StateTests& tests = steady::kSteady[4 * size_t{tcp} + 2 * side + filled];
  const uint64_t kind = kPlain ? steady::kPlainKind : steady::KindOf(key);
  const uint64_t state = steady::StateOf(hot) ^ kind;
  if (steady::Passes(state, tests.established)) {
    if (now_ns - hot.last_ns > rules.established_ns[tcp]) [[unlikely]]
      return false;
    if ((packet.tcp_flags & tcp_flag::kAck) != 0)
      AdvanceSequence(hot.next_seq[side ^ 1], packet.tcp_ack);
  } else if (!steady::Passes(state, tests.one_sided) ||
             now_ns - hot.last_ns > rules.one_sided_ns[tcp]) [[unlikely]] {
    return false;
  }
  hot.last_ns = now_ns;
  // A byte that was just written would hold up the flow's next packet, which reads the whole word.
  if ((packet.tcp_flags & hot.tcp_flags[side]) != packet.tcp_flags) [[unlikely]]
    hot.tcp_flags[side] |= packet.tcp_flags;
  if (tcp) AdvanceSequence(hot.next_seq[side], packet.tcp_seq + packet.payload_wire_length);
  if (__builtin_add_overflow(hot.packets[side], 1, &hot.packets[side])) [[unlikely]]
    ++table.cold(slot).packets_high[side];
  if (__builtin_add_overflow(hot.bytes[side], packet.wire_length, &hot.bytes[side])) [[unlikely]]
    ++table.cold(slot).bytes_high[side];
  return true;
}

// `rules` and `table` are copies of the tracker's, which stay in registers.
inline bool FlowTracker::TrackSteady(const SteadyRules& rules, FlowTable& table, uint32_t slot,
                                     const Packet& packet, const PreparedKey& key, int64_t now_ns) {
  if (TrackSteadyAs<true>(rules, table, slot, packet, key, now_ns)) [[likely]]
    return true;
  return !IsPlainSegment(packet) && TrackOtherSteady(slot, packet, key, now_ns);
}

inline FlowTracker::SteadyRules FlowTracker::RulesOfSteady() const {
  const int64_t udp = timeouts_[static_cast<size_t>(Phase::kUdp)];
  return {{udp, timeouts_[static_cast<size_t>(Phase::kTcpEstablished)]},
          {udp, timeouts_[static_cast<size_t>(Phase::kTcpMidstream)]}};
}

}  // namespace weir

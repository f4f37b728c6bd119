// The memory of one flow: a hot cache line that every packet touches, a cold one that the start,
// the end and rare events touch, and the full addresses of keys that do not fit in the hot line.
#pragma once

#include <cstdint>

#include "engine/packet/packet.h"

namespace weir {

// The part of a key that the hot line holds. IPv4: the whole key. IPv6 and MAC pairs: `a` and `b`
// are 64 bits of digest, and the addresses stand in FlowAddresses, which is always compared too.
// The side with the lower (address, port) is side 0, unless flows are unidirectional.
struct CompactKey {
  uint32_t a = 0;
  uint32_t b = 0;
  uint16_t port_a = 0;
  uint16_t port_b = 0;
  uint32_t tunnel = 0;  // TunnelTable's id
};
static_assert(sizeof(CompactKey) == 16);

// What the state byte of a flow says: the TCP life cycle, or the kind of another protocol.
// Time-outs are by phase.
enum class Phase : uint8_t {
  kTcpMidstream,  // joined in the middle, one side heard
  kTcpSynSent,
  kTcpSynReceived,
  kTcpEstablished,
  kTcpHalfClosed,
  kTcpClosing,
  kTcpClosed,
  kTcpReset,
  kUdp,
  kIcmp,
  kOther,
  kCount,
};

namespace flow_flag {
inline constexpr uint8_t kInitiatorIsB = 0x01;
inline constexpr uint8_t kAnswered = 0x02;   // both sides have packets
inline constexpr uint8_t kMidstream = 0x04;  // TCP: handshake not seen
inline constexpr uint8_t kBypassed = 0x08;   // counted only
inline constexpr uint8_t kFinAckedA = 0x10;  // A's FIN was acknowledged
inline constexpr uint8_t kFinAckedB = 0x20;
inline constexpr uint8_t kDoubtfulRst = 0x40;  // a RST came whose number was not the expected one
inline constexpr uint8_t kLagging = 0x80;      // FlowCold::lag is not 0
}  // namespace flow_flag

// Events that history remembers once per side: bits of FlowHot::letters.
namespace history_bit {
inline constexpr uint8_t kSyn = 0x01;
inline constexpr uint8_t kSynAck = 0x02;
inline constexpr uint8_t kAck = 0x04;   // no payload
inline constexpr uint8_t kData = 0x08;  // payload
inline constexpr uint8_t kFin = 0x10;
inline constexpr uint8_t kRst = 0x20;
inline constexpr uint8_t kWaiting = 0x40;  // bytes of the side's stream wait for acknowledgement
inline constexpr uint8_t kSeen = 0x80;     // the side's sequence numbers are known
}  // namespace history_bit

// Arrays of two are by side, A then B. Counters carry into FlowCold when they wrap.
struct alignas(64) FlowHot {
  CompactKey key;
  uint8_t protocol;
  AddressFamily family;  // kNone: the line is free
  Phase phase;
  uint8_t flags;  // flow_flag
  uint8_t tcp_flags[2];
  uint8_t letters[2];  // history_bit
  uint16_t packets[2];
  uint32_t bytes[2];
  uint32_t next_seq[2];  // TCP: one behind the highest byte that this side sent or the other
                         // acknowledged
  uint32_t stream;       // the reassembler's number of the connection, or kNoConnection
  int64_t last_ns;       // latest time stamp, on the flow clock
  uint32_t generation;   // counts the flows that this line has held
  uint32_t delta;        // the flow's place in IntervalDeltas, if it has one there
};
static_assert(sizeof(FlowHot) == 64);

struct alignas(64) FlowCold {
  int64_t start_ns;  // flow clock
  uint32_t packets_high[2];
  uint32_t bytes_high[2];
  uint32_t initial_seq[2];  // TCP; ICMP: type << 8 | code of the first packet in [0]
  uint32_t label[2];
  uint64_t user;
  uint8_t history[9];  // eighteen letters of 4 bits, see flow_history.h
  uint8_t lag;         // how far the flow clock was ahead of last_ns, in 2^34 ns (17 s)
  uint16_t interface_index;
  uint32_t vlan;  // id, id, count: 12, 12 and 8 bits
};
static_assert(sizeof(FlowCold) == 64);

struct alignas(32) FlowAddresses {
  uint8_t a[16];
  uint8_t b[16];
};

}  // namespace weir

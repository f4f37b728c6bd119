// What the engine says of a flow: when it ends, when an interim record is due, or when asked.
//
// A FlowRecord is a copy: it stays valid as long as whoever holds it likes. In events it lies in
// the shard's batch and lives until the next Poll.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/packet/flow_key.h"
#include "engine/tcp/stream_counters.h"

namespace weir {

// TCP life cycle as seen from outside; other protocols use kNew and kEstablished only.
enum class FlowState : uint8_t {
  kNew,          // one side was heard (not TCP), or TCP joined in the middle, one side heard
  kSynSent,      // SYN seen
  kSynReceived,  // SYN and SYN+ACK, or both SYNs of a simultaneous open
  kEstablished,  // both sides heard; TCP: handshake done, or joined in the middle
  kHalfClosed,   // one FIN seen
  kClosing,      // both FINs seen, last acknowledgement outstanding
  kClosed,       // both FINs acknowledged
  kReset,        // ended by RST
  kCount,
};
std::string_view Name(FlowState state);  // "new", "syn_sent", ...

// Why a record was written.
enum class FlowEnd : uint8_t {
  kNone,     // the flow is alive: asked for by the embedder
  kFin,      // both sides closed
  kRst,      // reset
  kIdle,     // silent for longer than its time-out
  kEvicted,  // the table was full
  kActive,   // an interim record of a long flow; the flow goes on
  kEnd,      // the source ended, or the engine was stopped
  kCount,
};
std::string_view Name(FlowEnd end);  // "fin", "rst", "idle", ...

// Names a live flow of one tracker: its place, and a count that tells a reused place from the first
// use.
struct FlowHandle {
  uint32_t slot = UINT32_MAX;
  uint32_t generation = 0;
  bool operator==(const FlowHandle&) const = default;
};

// Index 0 is the initiator's direction (toserver), 1 the responder's (toclient).
struct FlowRecord {
  uint64_t flow_id = 0;  // unique among the flows of one run of one shard
  FlowKey key;           // source is the initiator
  FlowHandle handle;
  std::array<uint64_t, 2> packets{};
  std::array<uint64_t, 2> bytes{};  // wire lengths with the link header
  // Since the last interim record (equal to the totals where there was none).
  std::array<uint64_t, 2> packets_delta{};
  std::array<uint64_t, 2> bytes_delta{};
  int64_t start_ns = 0;  // first packet's time stamp
  int64_t end_ns = 0;    // latest packet's
  std::array<uint8_t, 2> tcp_flags{};
  std::array<uint32_t, 2> label{};  // GTP TEID, MPLS label...; 0 = none
  std::array<uint16_t, 2> vlan{};   // outermost tags of the first packet
  uint8_t vlan_count = 0;
  FlowState state = FlowState::kNew;
  FlowEnd end = FlowEnd::kNone;
  bool answered = false;   // both directions have packets
  bool midstream = false;  // TCP: the handshake was not seen
  uint16_t interim = 0;    // how many interim records came before this one
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  uint16_t interface_index = 0;  // of the first packet
  // Zeek's history letters, upper case from the initiator: S SYN, H SYN+ACK, A bare ACK, D data, F
  // FIN, R RST, ^ when the direction was flipped. Terminated by 0.
  std::array<char, 24> history{};
  // The tunnel path that is part of the key, in TunnelPath's form.
  TunnelPath tunnel{};
  uint64_t user = 0;         // the embedder's own state
  bool reassembled = false;  // TCP, and streams were asked for: what follows means something
  std::array<StreamTotals, 2> stream{};
};

}  // namespace weir

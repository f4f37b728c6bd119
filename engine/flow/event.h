// What a shard tells its consumer.
//
// Lifetime: an Event, and all it points at, lives until the shard's next Poll. Thread: the one that
// polls. Kinds that the mask leaves out cost nothing.
#pragma once

#include <cstdint>

#include "engine/flow/record.h"
#include "engine/packet/packet.h"
#include "engine/tcp/stream_sink.h"
#include "rings/frame.h"

namespace weir {

enum class EventKind : uint8_t {
  kFlowStarted,      // record: the flow after its first packet
  kFlowEstablished,  // record: both sides heard; TCP: handshake done
  kFlowFlipped,      // record: the SYN came late and showed that who was taken for the initiator is
                     // the responder; from here on directions are the other way round
  kFlowInterim,      // record: long flow, see the active time-out
  kFlowEnded,        // record: final
  kPacket,           // packet, frame, flow, direction: each tracked packet
  kSegment,          // the same for each TCP segment with payload, SYN, FIN or RST: for another
                     // reassembler
  kStreamData,       // flow, direction, offset, size, data: the next bytes of a stream
  kStreamHole,       // flow, direction, offset, size, reason: bytes that were lost
  kStreamConflict,   // flow, direction, offset, size, data: other bytes for a place that had some;
                     // the first 2,048 of a batch, the ledger counts all
  kStreamEnd,        // flow, direction, offset, end: no more of this stream
  kFrame,            // frame, packet: each frame that passed filter and dedup, whatever its verdict
  kTick,             // time_ns: packet time moved on (about once per batch)
};

namespace event_mask {
constexpr uint32_t Of(EventKind kind) { return 1u << static_cast<unsigned>(kind); }
inline constexpr uint32_t kFlows = Of(EventKind::kFlowStarted) | Of(EventKind::kFlowEstablished) |
                                   Of(EventKind::kFlowFlipped) | Of(EventKind::kFlowInterim) |
                                   Of(EventKind::kFlowEnded);
inline constexpr uint32_t kRecords = Of(EventKind::kFlowInterim) | Of(EventKind::kFlowEnded);
inline constexpr uint32_t kPackets = Of(EventKind::kPacket);
inline constexpr uint32_t kSegments = Of(EventKind::kSegment);
inline constexpr uint32_t kStreams = Of(EventKind::kStreamData) | Of(EventKind::kStreamHole) |
                                     Of(EventKind::kStreamConflict) | Of(EventKind::kStreamEnd);
inline constexpr uint32_t kFrames = Of(EventKind::kFrame);
inline constexpr uint32_t kTicks = Of(EventKind::kTick);
}  // namespace event_mask

struct Event {
  EventKind kind = EventKind::kTick;
  // kPacket, kSegment and stream events: 0 from the initiator, 1 from the responder.
  uint8_t direction = 0;
  StreamEnd end = StreamEnd::kFlow;      // kStreamEnd
  HoleReason reason = HoleReason::kEnd;  // kStreamHole
  bool new_wins = false;                 // kStreamConflict: the later bytes are the stream's
  uint32_t kept = 0;                     // kStreamData: see Shard::Keep
  FlowHandle flow;                       // all but kFrame and kTick
  // kPacket of an ICMP error: the flow that its quoted packet belongs to, if alive.
  FlowHandle about;
  int64_t time_ns = 0;
  const FlowRecord* record = nullptr;  // flow events
  const Packet* packet = nullptr;      // kPacket, kSegment, kFrame
  const Frame* frame = nullptr;        // kPacket, kSegment, kFrame
  // Stream events: the place of the first byte, counted from the stream's first, lost bytes
  // included; kStreamEnd: how many there were.
  uint64_t offset = 0;
  uint64_t size = 0;              // kStreamData, kStreamHole, kStreamConflict: bytes
  const uint8_t* data = nullptr;  // kStreamData; kStreamConflict: the bytes that lost, null: gone
};

}  // namespace weir

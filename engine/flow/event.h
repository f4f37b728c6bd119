// What a shard tells its consumer.
//
// Lifetime: an Event, and all it points at, lives until the shard's next Poll. Thread: the one that
// polls. Kinds that the mask leaves out cost nothing.
#pragma once

#include <cstdint>

#include "engine/flow/record.h"
#include "engine/packet/packet.h"
#include "rings/frame.h"

namespace weir {

enum class EventKind : uint8_t {
  kFlowStarted,      // record: the flow after its first packet
  kFlowEstablished,  // record: both sides heard; TCP: handshake done
  kFlowInterim,      // record: long flow, see the active time-out
  kFlowEnded,        // record: final
  kPacket,           // packet, frame, flow, direction: each tracked packet
  kFrame,            // frame, packet: each frame that passed filter and dedup, whatever its verdict
  kTick,             // time_ns: packet time moved on (about once per batch)
};

namespace event_mask {
constexpr uint32_t Of(EventKind kind) { return 1u << static_cast<unsigned>(kind); }
inline constexpr uint32_t kFlows = Of(EventKind::kFlowStarted) | Of(EventKind::kFlowEstablished) |
                                   Of(EventKind::kFlowInterim) | Of(EventKind::kFlowEnded);
inline constexpr uint32_t kRecords = Of(EventKind::kFlowInterim) | Of(EventKind::kFlowEnded);
inline constexpr uint32_t kPackets = Of(EventKind::kPacket);
inline constexpr uint32_t kFrames = Of(EventKind::kFrame);
inline constexpr uint32_t kTicks = Of(EventKind::kTick);
}  // namespace event_mask

struct Event {
  EventKind kind = EventKind::kTick;
  uint8_t direction = 0;  // kPacket: 0 from the initiator, 1 from the responder
  FlowHandle flow;        // kPacket and flow events
  FlowHandle
      about;  // kPacket of an ICMP error: the flow that its quoted packet belongs to, if alive
  int64_t time_ns = 0;
  const FlowRecord* record = nullptr;  // flow events
  const Packet* packet = nullptr;      // kPacket, kFrame
  const Frame* frame = nullptr;        // kPacket, kFrame
};

}  // namespace weir

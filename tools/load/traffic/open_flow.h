// What the model keeps of a flow that is open.
#pragma once

#include <cstdint>

#include "tools/load/traffic/displaced_segments.h"

namespace weir::load {

inline constexpr uint32_t kNoFlow = UINT32_MAX;
inline constexpr uint32_t kNoEnd = UINT32_MAX;

// The next thing a flow does.
enum class FlowStage : uint8_t {
  kSyn,
  kSynAck,
  kHandshakeAck,
  kData,     // datagrams too
  kSettle,   // what is displaced comes, and then the connection is closed
  kFinBack,  // one FIN was sent: the other side's
  kLastAck,
  kEnded,
};

// Index 0: from the initiator.
struct OpenFlow {
  uint64_t next[2] = {};      // offset of the next new byte; datagrams: how many there were
  uint32_t initial[2] = {};   // sequence numbers: of the SYN
  uint32_t number = kNoFlow;  // kNoFlow: the next packet starts a flow
  uint32_t packets = 0;       // so far, one that came twice or in pieces is one
  uint32_t most_packets = kNoEnd;
  uint32_t displaced = kNoSegment;  // list in DisplacedSegments
  uint32_t recent[2] = {};          // bytes just before `next` that were sent
  // Since the other side's last packet.
  uint32_t unacknowledged_bytes[2] = {};
  uint16_t unacknowledged_segments[2] = {};
  bool started[2] = {};  // the other side, and who listens, know where the stream starts
  uint8_t closer = 0;    // who sends the first FIN
  FlowStage stage = FlowStage::kData;
};
static_assert(sizeof(OpenFlow) <= 64, "one cache line: there may be millions");

}  // namespace weir::load

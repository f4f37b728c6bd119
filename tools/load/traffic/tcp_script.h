// What TCP connections do, packet by packet: the handshake, data in both directions with
// acknowledgements and windows that are true, and the close; and what happens to their segments on
// the way.
//
// RFC 9293. A receiver's buffer is kReceiveBuffer; it acknowledges what it has, and what it has is
// everything but displaced segments: lost ones were lost on the way to who listens, not to it.
//
// Thread: one.
#pragma once

#include <cstdint>

#include "tools/load/traffic/displaced_segments.h"
#include "tools/load/traffic/open_flow.h"
#include "tools/load/traffic/packet_plan.h"
#include "tools/load/traffic/profile.h"
#include "tools/load/traffic/random.h"
#include "tools/load/traffic/segment_sizes.h"
#include "tools/load/traffic/traffic_model.h"

namespace weir::load {

class TcpScript {
 public:
  static constexpr uint32_t kReceiveBuffer = 1 << 20;  // bytes
  // Handshake, a data segment, close: a connection has no fewer packets.
  static constexpr uint32_t kLeastPackets = 7;

  // The references must outlive this object. `truth`: for its counts of what was done to frames.
  TcpScript(const TrafficProfile& profile, Random& random, DisplacedSegments& displaced,
            Truth& truth);

  void Start(OpenFlow& flow) const;  // it has its number

  // `spare`: how many segments may be displaced without the model ending before they have come.
  PacketPlan Next(OpenFlow& flow, FlowTruth& truth, uint32_t header_bytes, uint64_t spare);

  // Only what is owed: a displaced segment, of which the flow has one.
  PacketPlan NextDisplaced(OpenFlow& flow, FlowTruth& truth);

 private:
  PacketPlan Plan(OpenFlow& flow, const FlowTruth& truth, int direction, uint8_t flags);
  PacketPlan Segment(OpenFlow& flow, FlowTruth& truth, int direction, uint64_t offset,
                     uint32_t bytes);
  PacketPlan Data(OpenFlow& flow, FlowTruth& truth, uint32_t header_bytes, uint64_t spare);
  PacketPlan Handshake(OpenFlow& flow, const FlowTruth& truth);
  PacketPlan Close(OpenFlow& flow, FlowTruth& truth);
  bool SkipSegment(OpenFlow& flow, int direction, uint32_t bytes, uint64_t& spare);
  uint32_t RepeatedBytes(const OpenFlow& flow, int direction, uint32_t bytes);
  int WhoAcknowledges(const OpenFlow& flow) const;
  bool DisplacedIsDue(const OpenFlow& flow) const;

  const bool handshake_;
  const uint32_t acknowledge_every_;
  const uint32_t reorder_distance_;
  const uint64_t from_server_, reset_, reorder_, loss_, overlap_;  // ShareOf32Bits
  const uint64_t sequence_seed_;
  const SegmentSizes sizes_;
  Random& random_;
  DisplacedSegments& displaced_;
  Truth& counts_;
};

}  // namespace weir::load

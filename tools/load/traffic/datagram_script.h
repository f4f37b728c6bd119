// What UDP conversations and pings do: datagrams in both directions; echo and reply by turns.
//
// Thread: one.
#pragma once

#include <cstdint>

#include "tools/load/traffic/flow_identity.h"
#include "tools/load/traffic/open_flow.h"
#include "tools/load/traffic/packet_plan.h"
#include "tools/load/traffic/profile.h"
#include "tools/load/traffic/random.h"
#include "tools/load/traffic/segment_sizes.h"
#include "tools/load/traffic/traffic_model.h"

namespace weir::load {

class DatagramScript {
 public:
  // `random` must outlive this object.
  DatagramScript(const TrafficProfile& profile, Random& random);

  PacketPlan Next(OpenFlow& flow, FlowTruth& truth, const FlowIdentity& identity,
                  uint32_t header_bytes);

  // A payload that tells its place.
  uint32_t NextSize(uint32_t header_bytes);

 private:
  const uint64_t from_server_;  // ShareOf32Bits
  const SegmentSizes sizes_;
  Random& random_;
};

}  // namespace weir::load

#include "tools/load/traffic/datagram_script.h"

#include <algorithm>

#include "engine/packet/packet.h"
#include "tools/load/traffic/payload.h"

namespace weir::load {

DatagramScript::DatagramScript(const TrafficProfile& profile, Random& random)
    : from_server_(ShareOf32Bits(profile.from_server)),
      sizes_(profile.sizes, profile.size_unit),
      random_(random) {}

uint32_t DatagramScript::NextSize(uint32_t header_bytes) {
  return std::max(sizes_.Next(random_, header_bytes), kLeastDatagram);
}

PacketPlan DatagramScript::Next(OpenFlow& flow, FlowTruth& truth, const FlowIdentity& identity,
                                uint32_t header_bytes) {
  PacketPlan plan;
  if (identity.protocol != ip_protocol::kUdp) {
    plan.direction = static_cast<uint8_t>(flow.packets % 2);
    plan.echo = static_cast<uint16_t>(flow.packets / 2);
  } else if (flow.packets != 0) {
    plan.direction = random_.Chance(from_server_) ? 1 : 0;
  }
  plan.payload = NextSize(header_bytes);
  plan.offset = flow.next[plan.direction]++ * kDatagramStride;
  truth.stream_bytes[plan.direction] += plan.payload;
  if (flow.packets + 1 >= flow.most_packets) flow.stage = FlowStage::kEnded;
  return plan;
}

}  // namespace weir::load

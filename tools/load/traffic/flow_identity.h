// Who a flow is, by its number, and the other way round: flows are numbered 0, 1... in the order in
// which the model starts them, and the number stands in their addresses. The one-packet flows of
// floods have numbers of their own, from where their kind starts.
//
// The initiator's address is 10.x.y.z, the lower 24 bits of the number, or 2001:db8:0:1::n; the
// other's is 198.18.u.h (RFC 2544's network; u: the upper 8 bits), or 2001:db8:0:2::h. Ports are
// functions of the number. Colliding flows: see kCollisionFlow.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/packet/flow_key.h"
#include "tools/load/traffic/profile.h"

namespace weir::load {

inline constexpr uint32_t kSynFloodFlow = 0x4000'0000;
// UDP over IPv4. Bits that are set in one side's address or port are clear in the other's, so that
// the sums and the exclusive ors of both addresses, and of both ports, are the same for all:
// symmetric hashes that are made of these collide.
inline constexpr uint32_t kCollisionFlow = 0x8000'0000;
// First fragments, which are of no flow: what a datagram's addresses say.
inline constexpr uint32_t kFragmentFlow = 0xc000'0000;
inline constexpr uint32_t kProbeFlow = 0xffff'ffff;

enum class FlowKind : uint8_t { kOrdinary, kSynFlood, kCollisionFlood, kFragmentFlood, kProbe };
constexpr FlowKind KindOf(uint32_t flow) {
  if (flow == kProbeFlow) return FlowKind::kProbe;
  constexpr FlowKind kKinds[] = {FlowKind::kOrdinary, FlowKind::kSynFlood,
                                 FlowKind::kCollisionFlood, FlowKind::kFragmentFlood};
  return kKinds[flow >> 30];
}

// Floods and probes are IPv4 without tags and tunnels. ICMP is never in a VXLAN tunnel, where it
// would count as the tunnel's own UDP (DecoderOptions::prefer_ports), but in GRE instead.
struct FlowIdentity {
  bool ipv6 = false;
  uint8_t protocol = 0;           // as in the IP header
  uint8_t addresses[2][16] = {};  // 0: the initiator's; as in FlowKey
  uint16_t ports[2] = {};         // ICMP: the identifier, twice
  std::optional<uint16_t> vlan;
  TunnelKind tunnel = TunnelKind::kNone;
};

FlowIdentity IdentityOf(const TrafficProfile& profile, uint32_t flow);

// The number of the flow that has these addresses, ports and protocol, in either order; none: not
// of this model.
std::optional<uint32_t> FlowNumberOf(const TrafficProfile& profile, const FlowKey& key);

}  // namespace weir::load

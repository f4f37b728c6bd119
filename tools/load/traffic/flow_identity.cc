#include "tools/load/traffic/flow_identity.h"

#include <algorithm>
#include <cstring>

#include "engine/packet/bytes.h"
#include "engine/packet/packet.h"
#include "tools/load/traffic/random.h"
#include "tools/load/traffic/store.h"

namespace weir::load {
namespace {

constexpr uint8_t kInitiatorNet = 10;
constexpr uint8_t kServerNet[2] = {198, 18};
constexpr uint8_t kIpv6Net[8] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0};  // and 1 or 2 at the end
constexpr uint16_t kServerPort = 5001;       // behind which nobody looks for a tunnel, as behind
constexpr uint32_t kInitiatorPort = 40'000;  // these
constexpr uint32_t kInitiatorPorts = 20'000;
constexpr uint16_t kCollisionPorts[2] = {0xa000, 0x2000};  // their lower 8 bits: of the number

bool HasShare(const TrafficProfile& profile, uint32_t flow, uint64_t salt, double from, double to) {
  if (from >= to) return false;
  const uint64_t number = Mix64(Mix64(profile.seed + salt) + flow) >> 32;
  return ShareOf32Bits(from) <= number && number < ShareOf32Bits(to);
}

uint8_t ProtocolOf(const TrafficProfile& profile, uint32_t flow, bool ipv6) {
  switch (KindOf(flow)) {
    case FlowKind::kOrdinary:
      if (HasShare(profile, flow, 1, 0, profile.udp)) return ip_protocol::kUdp;
      if (HasShare(profile, flow, 1, profile.udp, profile.udp + profile.icmp)) {
        return ipv6 ? ip_protocol::kIcmpv6 : ip_protocol::kIcmp;
      }
      return ip_protocol::kTcp;
    case FlowKind::kSynFlood:
      return ip_protocol::kTcp;
    case FlowKind::kCollisionFlood:
    case FlowKind::kFragmentFlood:
    case FlowKind::kProbe:
      break;
  }
  return ip_protocol::kUdp;
}

void SetCollisionAddresses(FlowIdentity& identity, uint32_t flow) {
  const uint32_t lower = flow & 0xff'ffff, upper = flow >> 24;
  Store32(identity.addresses[0], uint32_t{kInitiatorNet} << 24 | lower);
  Store32(identity.addresses[1], uint32_t{kServerNet[0]} << 24 | (~lower & 0xff'ffff));
  identity.ports[0] = static_cast<uint16_t>(kCollisionPorts[0] | upper);
  identity.ports[1] = static_cast<uint16_t>(kCollisionPorts[1] | (~upper & 0xff));
}

void SetAddresses(FlowIdentity& identity, uint32_t flow) {
  const auto host = static_cast<uint8_t>(1 + flow % 250);
  if (identity.ipv6) {
    for (uint8_t side = 0; side < 2; ++side) {
      std::memcpy(identity.addresses[side], kIpv6Net, sizeof kIpv6Net);
      identity.addresses[side][7] = static_cast<uint8_t>(side + 1);
    }
    Store32(identity.addresses[0] + 12, flow);
    identity.addresses[1][15] = host;
    return;
  }
  Store32(identity.addresses[0], uint32_t{kInitiatorNet} << 24 | (flow & 0xff'ffff));
  uint8_t* server = identity.addresses[1];
  std::copy_n(kServerNet, 2, server);
  server[2] = static_cast<uint8_t>(flow >> 24);
  server[3] = host;
}

void SetPorts(FlowIdentity& identity, uint32_t flow) {
  if (identity.protocol == ip_protocol::kIcmp || identity.protocol == ip_protocol::kIcmpv6) {
    identity.ports[0] = identity.ports[1] = static_cast<uint16_t>(flow);
    return;
  }
  identity.ports[0] = static_cast<uint16_t>(kInitiatorPort + flow % kInitiatorPorts);
  identity.ports[1] = kServerPort;
}

bool IsIcmp(uint8_t protocol) {
  return protocol == ip_protocol::kIcmp || protocol == ip_protocol::kIcmpv6;
}

void SetEncapsulation(const TrafficProfile& profile, FlowIdentity& identity, uint32_t flow) {
  if (!profile.vlans.empty()) identity.vlan = profile.vlans[flow % profile.vlans.size()];
  if (profile.tunnels.empty()) return;
  identity.tunnel = profile.tunnels[flow % profile.tunnels.size()];
  if (identity.tunnel == TunnelKind::kVxlan && IsIcmp(identity.protocol)) {
    identity.tunnel = TunnelKind::kGre;
  }
}

bool Has(const FlowIdentity& identity, const FlowKey& key, int initiator) {
  const auto& first = initiator == 0 ? key.source : key.destination;
  const auto& second = initiator == 0 ? key.destination : key.source;
  const size_t size = identity.ipv6 ? 16 : 4;
  return identity.protocol == key.protocol &&
         std::equal(first.begin(), first.begin() + size, identity.addresses[0]) &&
         std::equal(second.begin(), second.begin() + size, identity.addresses[1]) &&
         (initiator == 0 ? key.source_port : key.destination_port) == identity.ports[0] &&
         (initiator == 0 ? key.destination_port : key.source_port) == identity.ports[1];
}

uint32_t NumberInIpv4(const FlowKey& key, int initiator) {
  const auto& server = initiator == 0 ? key.destination : key.source;
  const uint16_t port = initiator == 0 ? key.source_port : key.destination_port;
  const uint32_t lower = Load32((initiator == 0 ? key.source : key.destination).data()) & 0xff'ffff;
  const bool collides = (port & 0xff00) == kCollisionPorts[0] &&
                        key.protocol == ip_protocol::kUdp &&
                        (initiator == 0 ? key.destination_port : key.source_port) != kServerPort;
  return (collides ? port & 0xffu : server[2]) << 24 | lower;
}

}  // namespace

FlowIdentity IdentityOf(const TrafficProfile& profile, uint32_t flow) {
  FlowIdentity identity;
  const FlowKind kind = KindOf(flow);
  identity.ipv6 = kind == FlowKind::kOrdinary && HasShare(profile, flow, 2, 0, profile.ipv6);
  identity.protocol = ProtocolOf(profile, flow, identity.ipv6);
  if (kind == FlowKind::kCollisionFlood) {
    SetCollisionAddresses(identity, flow);
    return identity;
  }
  SetAddresses(identity, flow);
  SetPorts(identity, flow);
  if (kind == FlowKind::kOrdinary) SetEncapsulation(profile, identity, flow);
  return identity;
}

std::optional<uint32_t> FlowNumberOf(const TrafficProfile& profile, const FlowKey& key) {
  uint32_t flow;
  int initiator;
  if (key.family == AddressFamily::kIpv4) {
    initiator = key.source[0] == kInitiatorNet ? 0 : 1;
    flow = NumberInIpv4(key, initiator);
  } else if (key.family == AddressFamily::kIpv6) {
    initiator = key.source[7] == 1 ? 0 : 1;
    flow = Load32((initiator == 0 ? key.source : key.destination).data() + 12);
  } else {
    return std::nullopt;
  }
  const FlowIdentity identity = IdentityOf(profile, flow);
  const bool same_family = identity.ipv6 == (key.family == AddressFamily::kIpv6);
  return same_family && Has(identity, key, initiator) ? std::optional(flow) : std::nullopt;
}

}  // namespace weir::load

#include "tools/load/traffic/profile_check.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/packet/packet.h"
#include "tools/load/traffic/flow_identity.h"
#include "tools/load/traffic/network_writer.h"
#include "tools/load/traffic/payload.h"
#include "tools/load/traffic/segment_sizes.h"
#include "tools/load/traffic/tcp_script.h"
#include "tools/load/traffic/transport_writer.h"

namespace weir::load {
namespace {

constexpr uint16_t kMostVlan = 4094;
constexpr uint32_t kMostIpBytes = 65'535;
constexpr double kMostExponent = 8;
constexpr uint32_t kLeastFrameBytes = 60;

absl::Status Wrong(const std::string& what, const std::string& remedy) {
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", remedy));
}

struct Share {
  const char* name;
  double value;
};

absl::Status CheckShares(const TrafficProfile& profile) {
  const std::array<Share, 13> shares = {{{"udp", profile.udp},
                                         {"icmp", profile.icmp},
                                         {"ipv6", profile.ipv6},
                                         {"from_server", profile.from_server},
                                         {"reset", profile.reset},
                                         {"reorder", profile.reorder},
                                         {"duplicate", profile.duplicate},
                                         {"loss", profile.loss},
                                         {"overlap", profile.overlap},
                                         {"fragment", profile.fragment},
                                         {"syn_flood", profile.syn_flood},
                                         {"fragment_flood", profile.fragment_flood},
                                         {"collision_flood", profile.collision_flood}}};
  for (const Share& share : shares) {
    if (share.value >= 0 && share.value <= 1) continue;
    return Wrong(absl::StrCat(share.name, " is ", share.value), "a share is from 0 to 1");
  }
  if (profile.udp + profile.icmp > 1) {
    return Wrong("udp and icmp are more than all flows", "let their sum be 1 at most");
  }
  if (profile.syn_flood + profile.fragment_flood + profile.collision_flood > 1) {
    return Wrong("floods are more than all frames", "let the sum of their shares be 1 at most");
  }
  return absl::OkStatus();
}

absl::Status CheckFlows(const TrafficProfile& profile) {
  if (profile.flows == 0 || profile.flows >= kSynFloodFlow) {
    return Wrong(absl::StrCat("flows is ", profile.flows),
                 absl::StrCat("from 1 to ", kSynFloodFlow - 1));
  }
  if (!(profile.zipf_exponent >= 0 && profile.zipf_exponent <= kMostExponent)) {
    return Wrong(absl::StrCat("zipf_exponent is ", profile.zipf_exponent),
                 absl::StrCat("from 0 to ", kMostExponent));
  }
  const uint32_t least = profile.handshake ? 2 * TcpScript::kLeastPackets : 2;
  if (profile.flow_packets != 0 && profile.flow_packets < least) {
    return Wrong(absl::StrCat("flow_packets is ", profile.flow_packets),
                 absl::StrCat("at least ", least,
                              ", since some flows have half of it, or 0: flows do not end"));
  }
  if (profile.flow_packets != 0 &&
      profile.packets / (profile.flow_packets / 2) + profile.flows >= kSynFloodFlow) {
    return Wrong("there would be more flows than have numbers", "less churn, or fewer packets");
  }
  for (const uint16_t vlan : profile.vlans) {
    if (vlan > kMostVlan) {
      return Wrong(absl::StrCat("VLAN id ", vlan), absl::StrCat("up to ", kMostVlan));
    }
  }
  if (profile.reorder > 0 && profile.reorder_distance == 0) {
    return Wrong("reorder_distance is 0", "at least 1, or reorder 0");
  }
  if (profile.gap_ns < 0) return Wrong("gap_ns is negative", "0 or more");
  return absl::OkStatus();
}

absl::Status CheckSizes(const TrafficProfile& profile) {
  uint64_t weights = 0;
  for (const SizeShare& share : profile.sizes) weights += share.weight;
  if (weights == 0 || weights > UINT32_MAX) {
    return Wrong("the weights of sizes add up to nothing, or to more than 32 bits",
                 "give at least one size a weight");
  }
  for (const SizeShare& share : profile.sizes) {
    if (share.bytes <= kMostIpBytes) continue;
    return Wrong(absl::StrCat("a size of ", share.bytes, " bytes"),
                 absl::StrCat("up to ", kMostIpBytes));
  }
  constexpr uint32_t kLinkBytes = 18;
  if (const uint32_t most = MostFrameBytes(profile); most > kMostIpBytes + kLinkBytes) {
    return Wrong(absl::StrCat("with their headers frames would have up to ", most, " bytes"),
                 "make the sizes smaller");
  }
  return absl::OkStatus();
}

FlowIdentity WithLongestHeaders(const TrafficProfile& profile) {
  FlowIdentity longest;
  longest.ipv6 = profile.ipv6 > 0;
  if (!profile.vlans.empty()) longest.vlan = profile.vlans[0];
  std::vector<TunnelKind> tunnels = profile.tunnels;
  tunnels.push_back(TunnelKind::kNone);
  for (const TunnelKind tunnel : tunnels) {
    FlowIdentity other = longest;
    other.tunnel = tunnel;
    if (NetworkHeaderBytes(other) > NetworkHeaderBytes(longest)) longest = other;
  }
  return longest;
}

}  // namespace

absl::Status CheckProfile(const TrafficProfile& profile) {
  absl::Status status = CheckShares(profile);
  status.Update(CheckFlows(profile));
  status.Update(CheckSizes(profile));
  return status;
}

uint32_t MostFrameBytes(const TrafficProfile& profile) {
  const uint32_t headers = NetworkHeaderBytes(WithLongestHeaders(profile)) + kTcpBytes;
  const uint32_t data = headers + SegmentSizes(profile.sizes, profile.size_unit).Most(headers);
  return std::max({headers + kSynOptionBytes, data, kProbeFrameBytes, kLeastFrameBytes});
}

}  // namespace weir::load

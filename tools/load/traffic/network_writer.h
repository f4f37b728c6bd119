// The headers in front of a transport header: Ethernet, VLAN tag, tunnel, IP.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tools/load/traffic/flow_identity.h"

namespace weir::load {

// Which part of a datagram follows the IP header.
struct FragmentPlace {
  bool whole = true;
  bool more = false;
  uint32_t offset = 0;  // bytes
};

inline constexpr uint32_t kEthernetBytes = 14, kVlanBytes = 4, kIpv4Bytes = 20, kIpv6Bytes = 40;

// From the outer IP header to the inner one, by TunnelKind: VXLAN bears UDP, its own header and
// Ethernet.
inline constexpr uint32_t kTunnelBytes[] = {0, kIpv4Bytes + 8 + 8 + kEthernetBytes, kIpv4Bytes + 4,
                                            kIpv4Bytes};

// Bytes of all headers before the transport's, of packets that are no fragments.
inline uint32_t NetworkHeaderBytes(const FlowIdentity& identity) {
  return kEthernetBytes + (identity.vlan ? kVlanBytes : 0) +
         kTunnelBytes[static_cast<size_t>(identity.tunnel)] +
         (identity.ipv6 ? kIpv6Bytes : kIpv4Bytes);
}
// By how much those of fragments are longer.
uint32_t FragmentHeaderBytes(const FlowIdentity& identity);

// Writes them to `frame` for `size` bytes behind the IP header, and returns how many bytes they
// are.
uint32_t WriteNetworkHeaders(uint8_t* frame, const FlowIdentity& identity, uint32_t flow,
                             int direction, uint16_t identification, uint32_t size,
                             const FragmentPlace& place = {});

}  // namespace weir::load

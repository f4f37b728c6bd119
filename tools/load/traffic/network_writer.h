// The headers in front of a transport header: Ethernet, VLAN tag, tunnel, IP.
#pragma once

#include <cstdint>

#include "tools/load/traffic/flow_identity.h"

namespace weir::load {

// Which part of a datagram follows the IP header.
struct FragmentPlace {
  bool whole = true;
  bool more = false;
  uint32_t offset = 0;  // bytes
};

// Bytes of all headers before the transport's, of packets that are no fragments.
uint32_t NetworkHeaderBytes(const FlowIdentity& identity);
// By how much those of fragments are longer.
uint32_t FragmentHeaderBytes(const FlowIdentity& identity);

// Writes them to `frame` for `size` bytes behind the IP header, and returns how many bytes they
// are.
uint32_t WriteNetworkHeaders(uint8_t* frame, const FlowIdentity& identity, uint32_t flow,
                             int direction, uint16_t identification, uint32_t size,
                             const FragmentPlace& place = {});

}  // namespace weir::load

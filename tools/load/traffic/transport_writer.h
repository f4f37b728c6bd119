// TCP, UDP and ICMP echo: header, payload by its pattern, checksum.
#pragma once

#include <cstdint>

#include "engine/packet/packet.h"
#include "tools/load/traffic/flow_identity.h"
#include "tools/load/traffic/packet_plan.h"
#include "tools/load/traffic/payload.h"

namespace weir::load {

inline constexpr uint32_t kTcpBytes = 20, kUdpBytes = 8, kIcmpBytes = 8;
// Of a SYN: maximum segment size, window scale, and that selective acknowledgements may be used.
inline constexpr uint32_t kSynOptionBytes = 12;
inline constexpr uint32_t kWindowScale = 7;

// Of packets that carry data.
inline uint32_t TransportHeaderBytes(uint8_t protocol) {
  static_assert(kUdpBytes == kIcmpBytes);
  return protocol == ip_protocol::kTcp ? kTcpBytes : kUdpBytes;
}

// Writes what follows the IP header to `at`, and returns how many bytes that is.
uint32_t WriteTransport(uint8_t* at, const FlowIdentity& identity, const PacketPlan& plan,
                        const PayloadPattern& pattern);

}  // namespace weir::load

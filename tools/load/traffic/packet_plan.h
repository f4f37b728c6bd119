// What the next packet of a flow is, before it becomes one frame or several.
#pragma once

#include <cstdint>

namespace weir::load {

struct PacketPlan {
  uint8_t direction = 0;  // 0: from the initiator
  uint8_t tcp_flags = 0;
  uint16_t window = 0;          // TCP: as it stands in the header
  uint16_t identification = 0;  // IP's
  uint16_t echo = 0;            // ICMP: the sequence number
  uint32_t sequence = 0;        // TCP, as is the next
  uint32_t acknowledgement = 0;
  uint32_t payload = 0;  // bytes
  uint64_t offset = 0;   // of the payload in its direction's pattern
};

}  // namespace weir::load

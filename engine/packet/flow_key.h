// What identifies a flow, in its full and readable form.
#pragma once

#include <array>
#include <cstdint>

#include "engine/packet/packet.h"

namespace weir {

// Which fields of a packet make its flow: --key.
enum class KeyKind : uint8_t { kFiveTuple, kIpPair, kMacPair };

// `tunnel` is an identifier that the FlowTracker gave to a tunnel path (0: none); it is unique
// among the live flows of one tracker, and means nothing elsewhere.
struct FlowKey {
  std::array<uint8_t, 16> source{};  // the first 4, 6 or 16 bytes, network order
  std::array<uint8_t, 16> destination{};
  uint16_t source_port = 0;  // host order
  uint16_t destination_port = 0;
  uint8_t protocol = 0;
  AddressFamily family = AddressFamily::kNone;
  uint32_t tunnel = 0;

  bool operator==(const FlowKey&) const = default;
};

}  // namespace weir

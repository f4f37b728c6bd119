// The tunnel identity of a packet: the identifiers on the way to the innermost IP header that are
// equal in both directions, in the order they were met. Two packets belong to one flow only if
// their paths are equal byte for byte.
//
// What differs by direction (GTP TEID, MPLS label, L2TP session, Geneve VNI) is never in a path: it
// would cut every conversation in two. Packet::label records it instead.
#pragma once

#include <cstdint>
#include <cstring>

namespace weir {

// One element: its kind byte, then its bytes in network order.
enum class PathElement : uint8_t {
  kVlan = 1,          // 2 bytes: VLAN id, priority and DEI cleared
  kPppoeSession = 2,  // 2 bytes: session id (RFC 2516 section 4)
  kVxlanVni = 3,      // 3 bytes (RFC 7348 section 5)
  kGreKey = 4,        // 4 bytes (RFC 2890 section 2.1); NVGRE's VSID too
  kOuterIpv4 = 5,     // 8 bytes: both addresses, the lower one first
  kOuterIpv6 = 6,     // 32 bytes: likewise
  kExtension = 7,     // 8 bytes from the embedder's own key function
};

// Bits for --key-with and --key-without.
namespace key_part {
inline constexpr uint32_t kVlan = 1u << 0;
inline constexpr uint32_t kPppoe = 1u << 1;
inline constexpr uint32_t kVni = 1u << 2;
inline constexpr uint32_t kGreKey = 1u << 3;
inline constexpr uint32_t kOuter = 1u << 4;
inline constexpr uint32_t kAll = 0x1f;
}  // namespace key_part

struct TunnelPath {
  static constexpr int kCapacity = 124;
  uint16_t length = 0;
  bool overflow = false;  // an element did not fit: the packet is Malformed::kTunnelDepth
  uint8_t bytes[kCapacity];

  void Clear() {
    length = 0;
    overflow = false;
  }
  void Append(PathElement element, const void* value, int size) {
    if (length + 1 + size > kCapacity) {
      overflow = true;
      return;
    }
    bytes[length++] = static_cast<uint8_t>(element);
    std::memcpy(bytes + length, value, static_cast<size_t>(size));
    length = static_cast<uint16_t>(length + size);
  }
};
static_assert(sizeof(TunnelPath) == 128);

}  // namespace weir

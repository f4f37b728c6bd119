// The key of an IPv4 packet, inline: the common case of every packet. Private to engine/flow,
// because xxHash comes in as code.
#pragma once

#include <cstring>

#include "engine/flow/flow_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir {

// IPv6 and MAC pairs.
void PrepareWideKey(const KeyRules& rules, const Packet& packet, PreparedKey& key);

inline uint64_t HashCompactKey(const KeyRules& rules, const CompactKey& key, uint8_t protocol) {
  return XXH3_64bits_withSeed(&key, sizeof key, rules.seed + protocol * 0x9e3779b97f4a7c15u);
}

inline void PrepareKeyInline(const KeyRules& rules, const Packet& packet, uint32_t tunnel,
                             PreparedKey& key) {
  key.family = packet.family;
  key.protocol = rules.ports ? packet.protocol : 0;
  key.key.tunnel = tunnel;
  if (packet.family != AddressFamily::kIpv4) [[unlikely]] {
    PrepareWideKey(rules, packet, key);
    return;
  }
  uint32_t source, destination;
  std::memcpy(&source, packet.source, 4);
  std::memcpy(&destination, packet.destination, 4);
  const uint32_t source_port = rules.ports ? packet.source_port : 0;
  const uint32_t destination_port = rules.ports ? packet.destination_port : 0;
  const uint64_t sender = static_cast<uint64_t>(source) << 16 | source_port;
  const uint64_t receiver = static_cast<uint64_t>(destination) << 16 | destination_port;
  const bool swap = rules.bidirectional && sender > receiver;
  const uint64_t a = swap ? receiver : sender;
  const uint64_t b = swap ? sender : receiver;
  key.side = swap;
  key.key.a = static_cast<uint32_t>(a >> 16);
  key.key.b = static_cast<uint32_t>(b >> 16);
  key.key.port_a = static_cast<uint16_t>(a);
  key.key.port_b = static_cast<uint16_t>(b);
  key.hash = HashCompactKey(rules, key.key, key.protocol);
}

}  // namespace weir

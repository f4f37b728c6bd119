// The key of an IPv4 packet, inline: the common case of every packet. Private to engine/flow,
// because xxHash comes in as code.
#pragma once

#include <bit>
#include <cstring>

#include "engine/flow/flow_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir {

// IPv6 and MAC pairs.
void PrepareWideKey(const KeyRules& rules, const Packet& packet, PreparedKey& key);

inline uint64_t HashWords(const KeyRules& rules, uint64_t low, uint64_t high, uint8_t protocol) {
  const uint64_t words[2] = {low, high};
  return XXH3_64bits_withSeed(words, sizeof words, rules.seed + protocol * 0x9e3779b97f4a7c15u);
}

inline uint64_t HashCompactKey(const KeyRules& rules, const CompactKey& key, uint8_t protocol) {
  uint64_t words[2];
  std::memcpy(words, &key, sizeof words);
  return HashWords(rules, words[0], words[1], protocol);
}

inline void PrepareKeyInline(const KeyRules& rules, const Packet& packet, uint32_t tunnel,
                             PreparedKey& key) {
  key.family = packet.family;
  key.protocol = rules.ports ? packet.protocol : 0;
  if (packet.family != AddressFamily::kIpv4) [[unlikely]] {
    key.key.tunnel = tunnel;
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
  // The key is made in two words and written in two: the hash and the comparison read it so, and a
  // store that is narrower than the load behind it would stall.
  static_assert(std::endian::native == std::endian::little);
  const uint64_t low = (a >> 16) | (b >> 16) << 32;
  const uint64_t high = (a & 0xffff) | (b & 0xffff) << 16 | static_cast<uint64_t>(tunnel) << 32;
  auto* words = reinterpret_cast<char*>(&key.key);
  std::memcpy(words, &low, 8);
  std::memcpy(words + 8, &high, 8);
  key.hash = HashWords(rules, low, high, key.protocol);
}

}  // namespace weir

#include "engine/flow/flow_hash.h"

#include <cstring>

#include "engine/flow/flow_hash_inline.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir {
namespace {

// The key of IPv6 and MAC flows as it is hashed. `family` tells MAC pairs from addresses with
// trailing zeros.
struct WideKey {
  uint8_t a[16];
  uint8_t b[16];
  uint16_t port_a, port_b;
  uint32_t tunnel;
  uint64_t protocol_family;
};
static_assert(sizeof(WideKey) == 48);

void HashWide(const KeyRules& rules, const WideKey& wide, PreparedKey& key) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(&wide, sizeof wide, rules.seed);
  key.hash = hash.high64;
  key.key.a = static_cast<uint32_t>(hash.low64);
  key.key.b = static_cast<uint32_t>(hash.low64 >> 32);
}

WideKey Widen(const uint8_t* a, const uint8_t* b, size_t bytes, const CompactKey& key,
              uint8_t protocol, AddressFamily family) {
  WideKey wide{};
  std::memcpy(wide.a, a, bytes);
  std::memcpy(wide.b, b, bytes);
  wide.port_a = key.port_a;
  wide.port_b = key.port_b;
  wide.tunnel = key.tunnel;
  wide.protocol_family = protocol | static_cast<uint64_t>(family) << 8;
  return wide;
}

// IPv6 and MAC pairs.
void PrepareWideKey(const KeyRules& rules, const Packet& packet, PreparedKey& key) {
  const size_t bytes = packet.family == AddressFamily::kIpv6 ? 16 : 6;
  const int order = std::memcmp(packet.source, packet.destination, bytes);
  const bool swap = rules.bidirectional &&
                    (order > 0 || (order == 0 && packet.source_port > packet.destination_port));
  key.side = swap;
  key.address_a = swap ? packet.destination : packet.source;
  key.address_b = swap ? packet.source : packet.destination;
  const bool ports = rules.ports;
  key.key.port_a = !ports ? 0 : swap ? packet.destination_port : packet.source_port;
  key.key.port_b = !ports ? 0 : swap ? packet.source_port : packet.destination_port;
  HashWide(rules, Widen(key.address_a, key.address_b, bytes, key.key, key.protocol, key.family),
           key);
}

}  // namespace

void PrepareKey(const KeyRules& rules, const Packet& packet, uint32_t tunnel, PreparedKey& key) {
  const uint8_t protocol = rules.ports ? packet.protocol : 0;
  if (packet.family == AddressFamily::kIpv4) {
    PrepareIpv4Key(rules, HashFor(rules, protocol), packet, tunnel, protocol, key);
    return;
  }
  key.family = packet.family;
  key.protocol = protocol;
  key.key.tunnel = tunnel;
  PrepareWideKey(rules, packet, key);
}

uint64_t HashOf(const KeyRules& rules, const FlowHot& hot, const FlowAddresses& addresses) {
  if (hot.family == AddressFamily::kIpv4) {
    uint64_t words[2];
    std::memcpy(words, &hot.key, sizeof words);
    return HashFor(rules, hot.protocol)(words[0], words[1]);
  }
  const size_t bytes = hot.family == AddressFamily::kIpv6 ? 16 : 6;
  PreparedKey key;
  HashWide(rules, Widen(addresses.a, addresses.b, bytes, hot.key, hot.protocol, hot.family), key);
  return key.hash;
}

}  // namespace weir

#include "engine/flow/flow_hash.h"

#include <bit>
#include <cstring>

#include "engine/flow/flow_hash_inline.h"

namespace weir {
namespace {

// An address of 16 bytes as loaded; a shorter one is filled up with zeros.
struct AddressWords {
  uint64_t low, high;

  // In network order, so that the greater number is the greater address.
  unsigned __int128 Number() const {
    static_assert(std::endian::native == std::endian::little);
    return static_cast<unsigned __int128>(__builtin_bswap64(low)) << 64 | __builtin_bswap64(high);
  }
};

AddressWords LoadAddress(const uint8_t* address, AddressFamily family) {
  AddressWords words{};
  if (family == AddressFamily::kIpv6) {
    std::memcpy(&words, address, 16);
  } else {
    std::memcpy(&words, address, 6);
  }
  return words;
}

// IPv6 and MAC pairs.
void PrepareWideKey(const KeyRules& rules, const Packet& packet, uint32_t tunnel, uint8_t protocol,
                    PreparedKey& key) {
  const AddressWords source = LoadAddress(packet.source, packet.family);
  const AddressWords destination = LoadAddress(packet.destination, packet.family);
  const bool equal = source.low == destination.low && source.high == destination.high;
  const bool above =
      equal ? packet.source_port > packet.destination_port : source.Number() > destination.Number();
  const bool swap = above && rules.bidirectional;
  key.protocol = protocol;
  key.family = packet.family;
  key.side = swap;
  key.address_a = swap ? packet.destination : packet.source;
  key.address_b = swap ? packet.source : packet.destination;
  const uint16_t port_a = swap ? packet.destination_port : packet.source_port;
  const uint16_t port_b = swap ? packet.source_port : packet.destination_port;
  const uint32_t ports = rules.ports ? port_a | static_cast<uint32_t>(port_b) << 16 : 0;
  const AddressFold fold(rules.seed);
  const uint64_t low = fold(source.low, source.high) + fold(destination.low, destination.high);
  StoreKey(low, ports | static_cast<uint64_t>(tunnel) << 32, HashFor(rules, protocol), key);
}

}  // namespace

void PrepareKey(const KeyRules& rules, const Packet& packet, uint32_t tunnel, PreparedKey& key) {
  const uint8_t protocol = rules.ports ? packet.protocol : 0;
  if (packet.family == AddressFamily::kIpv4) {
    PrepareIpv4Key(rules, HashFor(rules, protocol), packet, tunnel, protocol, key);
  } else {
    PrepareWideKey(rules, packet, tunnel, protocol, key);
  }
}

uint64_t HashOf(const KeyRules& rules, const FlowHot& hot) {
  uint64_t words[2];
  std::memcpy(words, &hot.key, sizeof words);
  return HashFor(rules, hot.protocol)(words[0], words[1]);
}

}  // namespace weir

// Keys inline: that of an IPv4 packet is the common case of every packet. Private to engine/flow.
#pragma once

#include <bit>
#include <cstring>

#include "engine/flow/flow_hash.h"

namespace weir {

// The key is made in two words and written in two: the hash and the comparison read it so, and a
// store that is narrower than the load behind it would stall.
[[gnu::always_inline]] inline void StoreKey(uint64_t low, uint64_t high, const WordsHash& hash,
                                            PreparedKey& key) {
  static_assert(std::endian::native == std::endian::little);
  static_assert(offsetof(CompactKey, port_a) == 8 && offsetof(CompactKey, tunnel) == 12);
  auto* words = reinterpret_cast<char*>(&key.key);
  std::memcpy(words, &low, 8);
  std::memcpy(words + 8, &high, 8);
  key.hash = hash(low, high);
}

// `addresses` is the source and, in the upper half, the destination, as they stand in the header;
// `ports` likewise. `hash` is that of the protocol. Inlined with constants it costs least.
[[gnu::always_inline]] inline void FillIpv4Key(const WordsHash& hash, bool bidirectional,
                                               uint64_t addresses, uint32_t ports, uint32_t tunnel,
                                               uint8_t protocol, PreparedKey& key) {
  const auto source = static_cast<uint32_t>(addresses);
  const auto destination = static_cast<uint32_t>(addresses >> 32);
  bool swap = source > destination;
  if (source == destination) [[unlikely]]
    swap = static_cast<uint16_t>(ports) > ports >> 16;
  uint64_t turned = -uint64_t{swap && bidirectional};
  asm("" : "+r"(turned));  // a mask, not a branch: which side sends is anybody's guess
  const uint64_t low = addresses ^ ((addresses ^ std::rotl(addresses, 32)) & turned);
  const uint32_t turned_ports =
      ports ^ ((ports ^ std::rotl(ports, 16)) & static_cast<uint32_t>(turned));
  static_assert(offsetof(PreparedKey, family) == offsetof(PreparedKey, protocol) + 1 &&
                offsetof(PreparedKey, side) == offsetof(PreparedKey, protocol) + 2);
  const uint32_t kind = protocol | static_cast<uint32_t>(AddressFamily::kIpv4) << 8 |
                        (static_cast<uint32_t>(turned) & 1u << 16);
  std::memcpy(&key.protocol, &kind, sizeof kind);
  StoreKey(low, turned_ports | static_cast<uint64_t>(tunnel) << 32, hash, key);
}

[[gnu::always_inline]] inline void PrepareIpv4Key(const KeyRules& rules, const WordsHash& hash,
                                                  const Packet& packet, uint32_t tunnel,
                                                  uint8_t protocol, PreparedKey& key) {
  uint32_t source, destination;
  std::memcpy(&source, packet.source, 4);
  std::memcpy(&destination, packet.destination, 4);
  const uint32_t ports =
      rules.ports ? packet.source_port | static_cast<uint32_t>(packet.destination_port) << 16 : 0;
  FillIpv4Key(hash, rules.bidirectional, source | static_cast<uint64_t>(destination) << 32, ports,
              tunnel, protocol, key);
}

// Of a straight packet, whose addresses and ports are one word each; both directions have one key.
template <uint8_t kProtocol>
[[gnu::always_inline]] inline void PreparePlainKey(const WordsHash& hash, const Packet& packet,
                                                   PreparedKey& key) {
  uint64_t addresses;
  uint32_t ports;
  std::memcpy(&addresses, packet.source, sizeof addresses);
  std::memcpy(&ports, &packet.source_port, sizeof ports);
  static_assert(offsetof(Packet, destination_port) == offsetof(Packet, source_port) + 2);
  FillIpv4Key(hash, true, addresses, ports, 0, kProtocol, key);
}

}  // namespace weir

// Keys and their hashes: one seeded XXH3 that is equal for both directions of a flow.
#pragma once

#include "engine/flow/flow_table.h"
#include "engine/packet/packet.h"

namespace weir {

// What a key is made of; built once from FlowOptions.
struct KeyRules {
  bool ports = true;          // five-tuple; otherwise only addresses (and the tunnel)
  bool bidirectional = true;  // the lower (address, port) becomes side A
  uint64_t seed = 0;
};

// XXH3_64bits_withSeed of 16 bytes, its seed already mixed with constants of the secret. Written
// out because a compiler keeps this in registers.
// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, XXH3 of 9 to 16 bytes.
class WordsHash {
 public:
  explicit WordsHash(uint64_t seed)
      : low_flip_(0x6782737bea4239b9u + seed), high_flip_(0xaf56bc3b0996523au - seed) {}

  uint64_t operator()(uint64_t low, uint64_t high) const {
    low ^= low_flip_;
    high ^= high_flip_;
    const unsigned __int128 product = static_cast<unsigned __int128>(low) * high;
    const auto folded = static_cast<uint64_t>(product ^ product >> 64);
    uint64_t hash = 16 + __builtin_bswap64(low) + high + folded;
    hash = (hash ^ hash >> 37) * 0x165667919e3779f9u;
    return hash ^ hash >> 32;
  }

 private:
  uint64_t low_flip_;
  uint64_t high_flip_;
};

// Half of the 64 bits that stand for the addresses of a wide key: XXH3's mix of 16 bytes with a
// seed. The halves of both addresses are added, so that their order does not matter; WordsHash does
// the rest.
class AddressFold {
 public:
  explicit AddressFold(uint64_t seed)
      : low_flip_(0xbe4ba423396cfeb8u + seed), high_flip_(0x1cad21f72c81017cu - seed) {}

  uint64_t operator()(uint64_t low, uint64_t high) const {
    const unsigned __int128 product =
        static_cast<unsigned __int128>(low ^ low_flip_) * (high ^ high_flip_);
    return static_cast<uint64_t>(product ^ product >> 64);
  }

 private:
  uint64_t low_flip_;
  uint64_t high_flip_;
};

// The hash of a key's two words, by its protocol.
inline WordsHash HashFor(const KeyRules& rules, uint8_t protocol) {
  return WordsHash(rules.seed + protocol * 0x9e3779b97f4a7c15u);
}

// Fills `key` from the packet's addresses, ports and protocol and from `tunnel`.
void PrepareKey(const KeyRules& rules, const Packet& packet, uint32_t tunnel, PreparedKey& key);

// The hash of a flow that stands in the table.
uint64_t HashOf(const KeyRules& rules, const FlowHot& hot);

}  // namespace weir

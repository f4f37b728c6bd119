// Compiled with -mavx2, so nothing but C headers may be included: an inline C++ function from here
// could be the copy that the linker keeps for processors without AVX2.
#include "engine/packet/wide_hash.h"

#ifdef __x86_64__
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir {

Hash128 WideHashAvx2(const uint8_t* data, size_t bytes, const uint8_t* secret, uint64_t seed);

Hash128 WideHashAvx2(const uint8_t* data, size_t bytes, const uint8_t* secret, uint64_t seed) {
  const XXH128_hash_t hash =
      XXH3_128bits_withSecretandSeed(data, bytes, secret, WideHash::kSecretBytes, seed);
  return {hash.low64, hash.high64};
}

}  // namespace weir
#endif

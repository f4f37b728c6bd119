#include "engine/packet/wide_hash.h"

#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir {

// wide_hash_avx2.cc, compiled for AVX2.
Hash128 WideHashAvx2(const uint8_t* data, size_t bytes, const uint8_t* secret, uint64_t seed);

namespace {

Hash128 WideHashPortable(const uint8_t* data, size_t bytes, const uint8_t* secret, uint64_t seed) {
  const XXH128_hash_t hash =
      XXH3_128bits_withSecretandSeed(data, bytes, secret, WideHash::kSecretBytes, seed);
  return {hash.low64, hash.high64};
}

uint64_t RandomSeed() {
  uint64_t seed = 0;
  while (getrandom(&seed, sizeof seed, 0) != sizeof seed) {
  }
  return seed;
}

}  // namespace

static_assert(WideHash::kSecretBytes == XXH_SECRET_DEFAULT_SIZE);

WideHash::Function WideHash::Portable() { return &WideHashPortable; }

WideHash::Function WideHash::Avx2() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx2") ? &WideHashAvx2 : nullptr;
#else
  return nullptr;
#endif
}

Hash128 WideHash::Short(const uint8_t* data, size_t bytes) const {
  const XXH128_hash_t hash =
      XXH3_128bits_internal(data, bytes, seed_, XXH3_kSecret, sizeof XXH3_kSecret, nullptr);
  return {hash.low64, hash.high64};
}

WideHash::WideHash(uint64_t seed)
    : hash_(Avx2() != nullptr ? Avx2() : Portable()), seed_(seed != 0 ? seed : RandomSeed()) {
  XXH3_generateSecret_fromSeed(secret_, seed_);
}

}  // namespace weir

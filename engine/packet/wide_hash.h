// XXH3 in 128 bits, seeded, for the content of whole frames: with AVX2 where the processor has it,
// chosen once; the value is the same either way.
//
// Thread: const after construction.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Hash128& other) const = default;
};

class WideHash {
 public:
  static constexpr size_t kSecretBytes = 192;

  // Seed 0: one from getrandom(2), so that nobody can prepare frames that collide.
  explicit WideHash(uint64_t seed);

  Hash128 operator()(const uint8_t* data, size_t bytes) const {
    return bytes <= kShortBytes ? Short(data, bytes) : hash_(data, bytes, secret_, seed_);
  }

  using Function = Hash128 (*)(const uint8_t* data, size_t bytes, const uint8_t* secret,
                               uint64_t seed);
  static Function Portable();
  static Function Avx2();  // null where the processor has none

 private:
  static constexpr size_t kShortBytes = 240;  // up to here XXH3 has no vectors to use

  Hash128 Short(const uint8_t* data, size_t bytes) const;

  Function hash_;
  uint64_t seed_;
  alignas(64) uint8_t secret_[kSecretBytes];
};

}  // namespace weir

#include "engine/packet/checksum.h"

namespace weir {
namespace {

// The sum of 32-bit words. All pairs are added as 64-bit numbers, and their upper halves apart:
// what the first sum carries out of 64 bits is known from the second, so that a vector costs two
// additions and a shift. Compiled for each instruction set.
[[gnu::always_inline]] inline uint64_t AddVectors(const uint8_t* bytes, size_t vectors) {
  using Vector [[gnu::vector_size(internal::kChecksumVectorBytes)]] = uint64_t;
  Vector all[2] = {}, upper[2] = {};
  const auto add = [&](size_t i) {
    Vector pairs;
    std::memcpy(&pairs, bytes, sizeof pairs);
    bytes += sizeof pairs;
    all[i] += pairs;
    upper[i] += pairs >> 32;
  };
  for (size_t two = vectors / 2; two != 0; --two) {
    add(0);
    add(1);
  }
  if (vectors % 2 != 0) add(0);
  all[0] += all[1];
  upper[0] += upper[1];
  const Vector sums = all[0] - (upper[0] << 32) + upper[0];
  return sums[0] + sums[1] + sums[2] + sums[3];
}

uint64_t AddVectorsPortable(const uint8_t* bytes, size_t vectors) {
  return AddVectors(bytes, vectors);
}

#ifdef __x86_64__
[[gnu::target("avx2")]] uint64_t AddVectorsAvx2(const uint8_t* bytes, size_t vectors) {
  return AddVectors(bytes, vectors);
}
bool HasAvx2() { return __builtin_cpu_supports("avx2"); }
#else
uint64_t AddVectorsAvx2(const uint8_t* bytes, size_t vectors) { return AddVectors(bytes, vectors); }
bool HasAvx2() { return false; }
#endif

}  // namespace

uint64_t internal::ChecksumVectors(const uint8_t* bytes, size_t vectors) {
  return HasAvx2() ? AddVectorsAvx2(bytes, vectors) : AddVectorsPortable(bytes, vectors);
}

}  // namespace weir

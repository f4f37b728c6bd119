#include "engine/packet/checksum.h"

namespace weir {
namespace {

constexpr size_t kStepBytes = 64;

// The sum of 32-bit words, in steps of kStepBytes. All pairs are added as 64-bit numbers, and their
// upper halves apart: what the first sum carries out of 64 bits is known from the second, so that
// a vector costs two additions and a shift. Compiled for each instruction set.
[[gnu::always_inline]] inline uint64_t AddSteps(const uint8_t* bytes, size_t steps) {
  using Vector [[gnu::vector_size(32)]] = uint64_t;
  Vector all[2] = {}, upper[2] = {};
  for (; steps != 0; --steps, bytes += kStepBytes) {
    for (int i = 0; i < 2; ++i) {
      Vector pairs;
      std::memcpy(&pairs, bytes + 32 * i, sizeof pairs);
      all[i] += pairs;
      upper[i] += pairs >> 32;
    }
  }
  all[0] += all[1];
  upper[0] += upper[1];
  const Vector sums = all[0] - (upper[0] << 32) + upper[0];
  return sums[0] + sums[1] + sums[2] + sums[3];
}

uint64_t AddStepsPortable(const uint8_t* bytes, size_t steps) { return AddSteps(bytes, steps); }

#ifdef __x86_64__
[[gnu::target("avx2")]] uint64_t AddStepsAvx2(const uint8_t* bytes, size_t steps) {
  return AddSteps(bytes, steps);
}
bool HasAvx2() { return __builtin_cpu_supports("avx2"); }
#else
uint64_t AddStepsAvx2(const uint8_t* bytes, size_t steps) { return AddSteps(bytes, steps); }
bool HasAvx2() { return false; }
#endif

}  // namespace

uint64_t ChecksumAdd(const void* data, size_t size, uint64_t sum) {
  const uint8_t* bytes = static_cast<const uint8_t*>(data);
  if (const size_t steps = size / kStepBytes; steps != 0) {
    sum += HasAvx2() ? AddStepsAvx2(bytes, steps) : AddStepsPortable(bytes, steps);
    bytes += steps * kStepBytes;
    size %= kStepBytes;
  }
  for (; size >= 4; size -= 4, bytes += 4) sum += LoadNative<uint32_t>(bytes);
  if (size >= 2) {
    sum += LoadNative<uint16_t>(bytes);
    size -= 2;
    bytes += 2;
  }
  return size == 0 ? sum : sum + *bytes;
}

uint64_t PseudoHeaderSum(const uint8_t* source, const uint8_t* destination, size_t address_size,
                         uint8_t protocol, uint32_t length) {
  const uint32_t words[2] = {__builtin_bswap32(length),
                             __builtin_bswap32(static_cast<uint32_t>(protocol))};
  return ChecksumAdd(words, sizeof words,
                     ChecksumAdd(destination, address_size, ChecksumAdd(source, address_size)));
}

}  // namespace weir

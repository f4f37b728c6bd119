// Random numbers that are the same on every machine and with every compiler, which those of
// <random>'s distributions are not: integers only.
#pragma once

#include <cstdint>

namespace weir::load {

// A bijection of the 64-bit numbers whose results look random: the finalizer of SplitMix64 (Steele,
// Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
constexpr uint64_t Mix64(uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ value >> 27) * 0x94d0'49bb'1331'11eb;
  return value ^ value >> 31;
}

// A share from 0 to 1 in units of 2^-32, so that `share > number` is true of that share of the
// 32-bit numbers. Exact: a double times a power of two.
constexpr uint64_t ShareOf32Bits(double share) {
  return static_cast<uint64_t>(share * 4294967296.0);
}

// SplitMix64. Thread: one.
class Random {
 public:
  explicit constexpr Random(uint64_t seed) : state_(seed) {}

  constexpr uint64_t Next() { return Mix64(state_ += 0x9e37'79b9'7f4a'7c15); }
  // 0 to `limit` - 1.
  constexpr uint32_t Below(uint32_t limit) {
    return static_cast<uint32_t>((Next() >> 32) * limit >> 32);
  }
  // True for a share of the calls, see ShareOf32Bits. No number is used up where it cannot be true.
  constexpr bool Chance(uint64_t share) { return share != 0 && share > Next() >> 32; }

 private:
  uint64_t state_;
};

}  // namespace weir::load

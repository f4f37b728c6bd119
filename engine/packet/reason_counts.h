// Counters by reason: an array with one for each value of an enum.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace weir {

template <size_t kReasons>
uint64_t SumOf(const std::array<uint64_t, kReasons>& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

template <size_t kReasons>
void AddEach(std::array<uint64_t, kReasons>& to, const std::array<uint64_t, kReasons>& from) {
  for (size_t i = 0; i < kReasons; ++i) to[i] += from[i];
}

}  // namespace weir

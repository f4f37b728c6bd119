// Writing numbers in network order to bytes that need not be aligned.
//
// A header that is summed is made of words in registers: reading its bytes so soon after they were
// written one by one would wait for the writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/packet/bytes.h"

namespace weir::load {

inline void Store16(uint8_t* at, uint32_t value) {
  const uint16_t swapped = __builtin_bswap16(static_cast<uint16_t>(value));
  std::memcpy(at, &swapped, sizeof swapped);
}

inline void Store32(uint8_t* at, uint32_t value) {
  const uint32_t swapped = __builtin_bswap32(value);
  std::memcpy(at, &swapped, sizeof swapped);
}

// Words as they stand in memory: of a number, of two halves.
inline uint32_t WordOf(uint32_t value) { return __builtin_bswap32(value); }
inline uint32_t WordOf(uint32_t first, uint32_t second) {
  return __builtin_bswap32(first << 16 | (second & 0xffff));
}

// The sum of words, which ChecksumFold takes.
template <size_t kCount>
inline uint64_t SumOf(const uint32_t (&words)[kCount]) {
  uint64_t sum = 0;
  for (const uint32_t word : words) sum += word;
  return sum;
}

// In a word in memory, the half that stands second or first.
inline uint32_t SecondHalf(uint16_t half) { return uint32_t{half} << 16; }
inline uint32_t FirstHalf(uint16_t half) { return half; }

}  // namespace weir::load

// Writing numbers in network order to bytes that need not be aligned.
#pragma once

#include <cstdint>
#include <cstring>

namespace weir::load {

inline void Store16(uint8_t* at, uint32_t value) {
  const uint16_t swapped = __builtin_bswap16(static_cast<uint16_t>(value));
  std::memcpy(at, &swapped, sizeof swapped);
}

inline void Store32(uint8_t* at, uint32_t value) {
  const uint32_t swapped = __builtin_bswap32(value);
  std::memcpy(at, &swapped, sizeof swapped);
}

}  // namespace weir::load

// Reading numbers in network order from bytes that need not be aligned. The caller checks bounds.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace weir {

template <typename T>
inline T LoadNative(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

static_assert(std::endian::native == std::endian::little, "ported to little-endian machines only");

inline uint16_t Load16(const uint8_t* bytes) {
  return __builtin_bswap16(LoadNative<uint16_t>(bytes));
}
inline uint32_t Load24(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0]) << 16 | static_cast<uint32_t>(bytes[1]) << 8 | bytes[2];
}
inline uint32_t Load32(const uint8_t* bytes) {
  return __builtin_bswap32(LoadNative<uint32_t>(bytes));
}

}  // namespace weir

// Numbers and pieces of headers in a frame that is being built; out of bounds is an exception.
// Native: in memory order, as checksums are; else in network order.
#pragma once

#include <cstdint>

#include "tests/support/packet_builder.h"

namespace weir::test {

inline void Put16(Bytes& bytes, size_t at, uint32_t value) {
  bytes.at(at) = static_cast<uint8_t>(value >> 8);
  bytes.at(at + 1) = static_cast<uint8_t>(value);
}

inline void Put32(Bytes& bytes, size_t at, uint32_t value) {
  Put16(bytes, at, value >> 16);
  Put16(bytes, at + 2, value & 0xffff);
}

inline void Append(Bytes& bytes, const Bytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

inline void PutNative16(Bytes& bytes, size_t at, uint16_t value) {
  bytes.at(at) = static_cast<uint8_t>(value);
  bytes.at(at + 1) = static_cast<uint8_t>(value >> 8);
}

inline size_t RoundUp(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

}  // namespace weir::test

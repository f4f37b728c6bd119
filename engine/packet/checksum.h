// The Internet checksum: RFC 1071, RFC 1624.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/packet/bytes.h"

namespace weir {

// Adds up 16-bit words in memory order; sums may be added, and folded at the end. `size` is any; an
// odd last byte counts as if a zero followed. Only the last piece of a sum in pieces may be odd.
inline uint64_t ChecksumAdd(const void* data, size_t size, uint64_t sum = 0);

// Folds a sum to the 16 bits that stand in a header, in memory order.
inline uint16_t ChecksumFold(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

// True when an IPv4 header of 20 bytes, without options, sums to what it should.
inline bool Ipv4HeaderSumIsRight(const uint8_t* header) {
  uint64_t sum = LoadNative<uint32_t>(header);
  sum += LoadNative<uint32_t>(header + 4);
  sum += LoadNative<uint32_t>(header + 8);
  sum += LoadNative<uint32_t>(header + 12);
  sum += LoadNative<uint32_t>(header + 16);
  // Folding keeps the remainder by 65535, which must be 0 (the sum is not, as the version is not):
  // the product with the inverse modulo 2^64 is then the quotient, and otherwise beyond all
  // quotients.
  constexpr uint64_t kInverse = 0xfffefffefffeffff, kMost = UINT64_MAX / 0xffff;
  static_assert(kInverse * 0xffff == 1);
  return sum * kInverse <= kMost;
}

// The sum of the pseudo header of TCP, UDP and ICMPv6 (RFC 9293 section 3.1, RFC 8200 section 8.1).
// `address_size` is 4 or 16; the addresses are in network order.
inline uint64_t PseudoHeaderSum(const uint8_t* source, const uint8_t* destination,
                                size_t address_size, uint8_t protocol, uint32_t length);

namespace internal {

inline constexpr size_t kChecksumVectorBytes = 32;

// The sum of `vectors` times kChecksumVectorBytes.
uint64_t ChecksumVectors(const uint8_t* bytes, size_t vectors);

// A word of eight bytes, so that no carry leaves a sum.
inline uint64_t Halves(uint64_t word) { return (word & 0xffffffff) + (word >> 32); }

}  // namespace internal

inline uint64_t ChecksumAdd(const void* data, size_t size, uint64_t sum) {
  const uint8_t* bytes = static_cast<const uint8_t*>(data);
  if (const size_t vectors = size / internal::kChecksumVectorBytes; vectors != 0) {
    sum += internal::ChecksumVectors(bytes, vectors);
    bytes += vectors * internal::kChecksumVectorBytes;
  }
  if ((size & 16) != 0) {
    sum += internal::Halves(LoadNative<uint64_t>(bytes));
    sum += internal::Halves(LoadNative<uint64_t>(bytes + 8));
    bytes += 16;
  }
  if ((size & 8) != 0) {
    sum += internal::Halves(LoadNative<uint64_t>(bytes));
    bytes += 8;
  }
  if ((size & 4) != 0) {
    sum += LoadNative<uint32_t>(bytes);
    bytes += 4;
  }
  if ((size & 2) != 0) {
    sum += LoadNative<uint16_t>(bytes);
    bytes += 2;
  }
  return (size & 1) != 0 ? sum + *bytes : sum;
}

inline uint64_t PseudoHeaderSum(const uint8_t* source, const uint8_t* destination,
                                size_t address_size, uint8_t protocol, uint32_t length) {
  uint64_t sum =
      uint64_t{__builtin_bswap32(length)} + __builtin_bswap32(static_cast<uint32_t>(protocol));
  for (size_t at = 0; at < address_size; at += 4) {
    sum += LoadNative<uint32_t>(source + at);
    sum += LoadNative<uint32_t>(destination + at);
  }
  return sum;
}

}  // namespace weir

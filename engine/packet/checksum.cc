#include "engine/packet/checksum.h"

namespace weir {

uint64_t ChecksumAdd(const void* data, size_t size, uint64_t sum) {
  const uint8_t* bytes = static_cast<const uint8_t*>(data);
  uint64_t other = 0;
  for (; size >= 8; size -= 8, bytes += 8) {
    sum += LoadNative<uint32_t>(bytes);
    other += LoadNative<uint32_t>(bytes + 4);
  }
  sum += other;
  if (size >= 4) {
    sum += LoadNative<uint32_t>(bytes);
    size -= 4;
    bytes += 4;
  }
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

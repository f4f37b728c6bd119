#include "rings/pcapng_time.h"

#include <algorithm>

namespace weir {
namespace {

using Wide = __int128;

constexpr Wide kNsPerSecond = 1'000'000'000;
constexpr uint8_t kBinary = 0x80;

// 10^exponent; for exponents beyond 20 a number larger than any stamp.
Wide PowerOfTen(int exponent) {
  Wide power = 1;
  for (int i = 0; i < std::min(exponent, 21); ++i) power *= 10;
  return power;
}

}  // namespace

void PcapngTime::SetResolution(uint8_t value) {
  binary_ = (value & kBinary) != 0;
  digits_ = value & static_cast<uint8_t>(~kBinary);
  unit_ns_ = !binary_ && digits_ <= 9 ? static_cast<uint64_t>(PowerOfTen(9 - digits_)) : 0;
}

int64_t PcapngTime::Slow(uint64_t units) const {
  Wide ns = 0;
  if (unit_ns_ != 0) {
    ns = Wide{units} * unit_ns_;
  } else if (binary_) {
    ns = (Wide{units} * kNsPerSecond) >> digits_;
  } else {
    ns = Wide{units} / PowerOfTen(digits_ - 9);
  }
  ns += Wide{offset_s_} * kNsPerSecond;
  return static_cast<int64_t>(std::clamp<Wide>(ns, INT64_MIN, INT64_MAX));
}

}  // namespace weir

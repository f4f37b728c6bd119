// Time stamps of one pcapng interface as nanoseconds: if_tsresol and if_tsoffset, section 4.2 of
// the draft.
#pragma once

#include <cstdint>

namespace weir {

class PcapngTime {
 public:
  // if_tsresol's byte: with the top bit set 2^-n seconds, else 10^-n, n being the other seven bits.
  void SetResolution(uint8_t value);

  // if_tsoffset: seconds to add to each stamp.
  void SetOffset(int64_t seconds) { offset_s_ = seconds; }

  // Nanoseconds since 1970, rounded down; the nearest end of int64_t's range where they do not fit.
  int64_t Nanoseconds(uint64_t units) const {
    int64_t ns = 0;
    if (unit_ns_ != 0 && offset_s_ == 0 && !__builtin_mul_overflow(units, unit_ns_, &ns)) return ns;
    return Slow(units);
  }

 private:
  int64_t Slow(uint64_t units) const;

  uint64_t unit_ns_ = 1000;  // 0: a unit is no whole number of nanoseconds
  uint8_t digits_ = 6;       // n
  bool binary_ = false;      // 2^-n, else 10^-n
  int64_t offset_s_ = 0;
};

}  // namespace weir

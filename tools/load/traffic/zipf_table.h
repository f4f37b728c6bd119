// Zipf's distribution: number k of n, from 0, has the share (k + 1)^-exponent, divided by the sum
// of all. Drawn in constant time by Walker's alias method (ACM TOMS 3, 1977; Vose's way to set the
// table up, IEEE TSE 17, 1991), all in integers, so that it is the same everywhere.
//
// Thread: any, once it is made. Memory: 8 bytes a number, while it is made 24 more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "rings/prefetch.h"

namespace weir::load {

class ZipfTable {
 public:
  ZipfTable(uint32_t count, double exponent);

  // Which number a random one stands for.
  uint32_t At(uint64_t random) const {
    const uint32_t place = PlaceOf(random);
    const Entry& entry = entries_[place];
    return static_cast<uint32_t>(random) <= entry.last_own ? place : entry.alias;
  }
  void Prefetch(uint64_t random) const { PrefetchToRead(&entries_[PlaceOf(random)]); }

 private:
  struct Entry {
    uint32_t last_own;  // of 32 bits
    uint32_t alias;
  };
  uint32_t PlaceOf(uint64_t random) const {
    return static_cast<uint32_t>((random >> 32) * entries_.size() >> 32);
  }

  std::vector<Entry> entries_;
};

// (k + 1)^-exponent for k below `count`, in units of 2^-62: right to about 2^-25 of itself.
std::vector<uint64_t> ZipfWeights(uint32_t count, double exponent);

}  // namespace weir::load

// What a check by sample found of flows that were cut in two by the distribution of frames among
// shards. A copy; those of several shards add up.
#pragma once

#include <cstdint>

namespace weir {

struct SplitCounters {
  uint64_t sampled = 0;  // flows that were looked at
  uint64_t split = 0;    // of these, came to another shard than to the first one, too

  void Add(const SplitCounters& other) {
    sampled += other.sampled;
    split += other.split;
  }
};

}  // namespace weir

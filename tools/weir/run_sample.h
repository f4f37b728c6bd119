// The state of a run at one moment: what displays and the report are made of.
#pragma once

#include <cstdint>

#include "engine/shard.h"
#include "engine/stats/shard_counters.h"

namespace weir {

struct RunSample : ShardCounters {
  int64_t elapsed_ns = 0;  // since start, by the clock
};

// Reads the kernel's counters: once per interval, not per batch. Thread: the one that polls.
inline RunSample TakeSample(Shard& shard, int64_t elapsed_ns) {
  return {shard.Counters(), elapsed_ns};
}

}  // namespace weir

// The state of a run at one moment: what displays and the report are made of.
#pragma once

#include <cstdint>

#include "engine/stats/shard_counters.h"

namespace weir {

// The sum over all shards.
struct RunSample : ShardCounters {
  int64_t elapsed_ns = 0;  // since start, by the clock
};

}  // namespace weir

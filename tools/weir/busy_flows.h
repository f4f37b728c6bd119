// The live flows with most bytes in the last moment, for a screen. Thread: the shard's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/flow/flow_tracker.h"
#include "engine/flow/record.h"

namespace weir {

struct BusyFlow {
  FlowRecord record;
  uint64_t fresh;  // bytes since the last ranking
};

// The busiest first; at most `most`, so as many of several shards can be merged.
void KeepBusiest(std::vector<BusyFlow>& flows, size_t most);

// At most `most` of `flows`, since the last call: each flow's `user` word remembers what it had
// then. Reads every flow, at some 100 ns each.
std::vector<BusyFlow> RankFlows(FlowTracker& flows, size_t most);

}  // namespace weir

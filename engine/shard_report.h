// What an Engine says of one of its shards while it runs. A copy: stays valid on any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "engine/stats/shard_metrics.h"

namespace weir {

// As it was `age_ns` ago: a shard shows it every EngineOptions::publish_ns, and at its end.
// `interface` is "eth0", "eth0+eth1", or what the shard's first source is called.
struct ShardReport : ShardMetrics {
  int64_t age_ns = 0;
  std::vector<int> cpus;  // it may run on these; empty: anywhere
  // ShardState::kFailed: why. Else not OK when one leg of several has failed, and while an
  // interface is away (EngineInterface::reopen).
  absl::Status status;
};

}  // namespace weir

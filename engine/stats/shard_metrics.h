// What a shard shows now and then to those who watch it from outside: its counters, its load and a
// sign of life. A copy: it stays valid on any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/stats/delay_histogram.h"
#include "engine/stats/shard_counters.h"
#include "engine/stats/shard_state.h"
#include "engine/stats/split_counters.h"

namespace weir {

struct ShardMetrics {
  uint32_t shard = 0;
  std::string interface;     // names of its interfaces; a file's name
  std::string_view backend;  // "AF_XDP copy": how its interface is received; empty: it has none
  ShardState state = ShardState::kReady;
  int64_t shown_ns = 0;  // CLOCK_REALTIME when it showed this; of one that hangs it stands still
  int64_t cpu_ns = 0;    // processor time that the shard's thread has used
  ShardCounters counters;
  SplitCounters split;                   // zeros where it has its interface alone
  std::optional<DelayHistogram> delays;  // of frames: from the kernel's time stamp to the shard
  // How long its last snapshot took from the shard to the totals, or has the merger been at work if
  // that is longer; none yet: empty.
  std::optional<int64_t> snapshot_lag_ns;
};

}  // namespace weir

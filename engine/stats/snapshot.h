// What one shard counted in one interval, handed over whole: see SnapshotQueue.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/flow/interval_deltas.h"
#include "engine/stats/shard_counters.h"

namespace weir {

struct Snapshot {
  uint32_t shard = 0;
  // Intervals that it covers: more than one when no empty table was there in time.
  int64_t first_epoch = 0;
  int64_t last_epoch = 0;
  int64_t start_ns = 0;    // packet time
  int64_t end_ns = 0;      // the last one ends where the shard did
  bool complete = false;   // exactly one whole interval
  bool last = false;       // no more will come from this shard
  ShardCounters counters;  // totals since the shard's start, at the end
  // Of the interval, by the ledger: what the tables add up to.
  uint64_t tracked_packets = 0;
  uint64_t tracked_bytes = 0;
  std::unique_ptr<IntervalDeltas> deltas;
};

}  // namespace weir

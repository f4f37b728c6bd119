// The state of a run at one moment: what displays and the report are made of.
#pragma once

#include <cstdint>

#include "engine/flow/flow_tracker.h"
#include "engine/packet/dedup.h"
#include "engine/shard.h"
#include "engine/stats/ledger.h"
#include "rings/frame_source.h"

namespace weir {

struct RunSample {
  int64_t elapsed_ns = 0;  // since start, by the clock
  Ledger ledger;
  SourceCounters source;
  DedupCounters dedup;
  FragmentCounters fragments;
  FlowCounters flows;
  uint32_t alive = 0;     // flows
  uint32_t capacity = 0;  // flows

  uint64_t lost() const { return source.ring_dropped.value_or(0) + source.nic_missed.value_or(0); }
};

// Reads the kernel's counters: once per interval, not per batch. Thread: the one that polls.
inline RunSample TakeSample(Shard& shard, int64_t elapsed_ns) {
  RunSample sample;
  sample.elapsed_ns = elapsed_ns;
  sample.ledger = shard.ledger();
  sample.source = shard.source_counters();
  sample.dedup = shard.dedup_counters();
  sample.fragments = shard.fragment_counters();
  sample.flows = shard.flows().counters();
  sample.alive = shard.flows().alive();
  sample.capacity = shard.flows().capacity();
  return sample;
}

}  // namespace weir

// Everything that one shard counted since its start, and how full it is: what displays, exporters
// and snapshots are made of.
//
// A plain copy: it stays valid as long as whoever holds it likes, on any thread. Made by
// Shard::Counters on the shard's thread; those of several shards add up.
#pragma once

#include <cstdint>

#include "engine/flow/flow_counters.h"
#include "engine/packet/dedup.h"
#include "engine/packet/defragmenter.h"
#include "engine/stats/ledger.h"
#include "rings/frame_source.h"

namespace weir {

struct ShardCounters {
  uint32_t shards = 0;  // how many were added up; 0: the empty sum

  Ledger ledger;
  SourceCounters source;  // of all sources; unknown where one of them does not tell
  DedupCounters dedup;    // covered windows: the shortest
  FragmentCounters fragments;
  FlowCounters flows;

  uint32_t flows_alive = 0;
  uint32_t flow_capacity = 0;
  uint32_t tunnels_in_use = 0;             // tunnel identities that need an entry of their own
  uint64_t stream_memory_limit_bytes = 0;  // of ledger.streams.memory_bytes; 0: no streams

  RingFill ring;  // of all sources

  // Of snapshots: intervals counted together with the one before, as the merger was slow.
  uint64_t joined_intervals = 0;

  int64_t time_ns = INT64_MIN;  // packet time, the latest; before the first frame far in the past

  // Frames that the kernel or the device lost, as far as they tell.
  uint64_t lost() const { return source.ring_dropped.value_or(0) + source.nic_missed.value_or(0); }

  void Add(const ShardCounters& other);
};

}  // namespace weir

#include "engine/stats/shard_counters.h"

#include <algorithm>

namespace weir {
namespace {

template <size_t N>
void AddEach(std::array<uint64_t, N>& to, const std::array<uint64_t, N>& from) {
  for (size_t i = 0; i < N; ++i) to[i] += from[i];
}

// 0 means that there was no window yet.
int64_t Shorter(int64_t a, int64_t b) { return a == 0 || b == 0 ? a + b : std::min(a, b); }

void AddDedup(DedupCounters& to, const DedupCounters& from) {
  to.seen += from.seen;
  to.duplicates += from.duplicates;
  to.depth_exceeded += from.depth_exceeded;
  to.covered_window_ns = Shorter(to.covered_window_ns, from.covered_window_ns);
  to.least_covered_window_ns = Shorter(to.least_covered_window_ns, from.least_covered_window_ns);
}

void AddFragments(FragmentCounters& to, const FragmentCounters& from) {
  to.held += from.held;
  to.completed += from.completed;
  to.overlaps += from.overlaps;
  to.conflicts += from.conflicts;
  AddEach(to.dropped, from.dropped);
}

void AddFlows(FlowCounters& to, const FlowCounters& from) {
  to.started += from.started;
  to.established += from.established;
  AddEach(to.ended, from.ended);
  AddEach(to.evicted, from.evicted);
  to.ended_packets += from.ended_packets;
  to.ended_bytes += from.ended_bytes;
  to.resets_ignored += from.resets_ignored;
  to.resets_doubted += from.resets_doubted;
  to.ports_reused += from.ports_reused;
}

}  // namespace

void ShardCounters::Add(const ShardCounters& other) {
  if (other.shards == 0) return;
  if (shards == 0) {
    *this = other;
    return;
  }
  shards += other.shards;
  ledger.Add(other.ledger);
  source.Add(other.source);
  AddDedup(dedup, other.dedup);
  AddFragments(fragments, other.fragments);
  AddFlows(flows, other.flows);
  flows_alive += other.flows_alive;
  flow_capacity += other.flow_capacity;
  tunnels_in_use += other.tunnels_in_use;
  stream_memory_limit_bytes += other.stream_memory_limit_bytes;
  ring.used += other.ring.used;
  ring.units += other.ring.units;
  joined_intervals += other.joined_intervals;
  time_ns = std::max(time_ns, other.time_ns);
}

}  // namespace weir

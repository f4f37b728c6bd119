// What the final report says of the traffic: the busiest flows and addresses, summed from flow
// records as they come. Thread: the one that polls. Bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/flow/record.h"
#include "engine/stats/top_talkers.h"

namespace weir {

class TrafficTally {
 public:
  explicit TrafficTally(size_t busiest = 10) : wanted_(busiest) { heap_.reserve(busiest + 1); }

  // Takes a flow's last record; interim ones say nothing that the last one does not say, and are
  // left out.
  void Add(const FlowRecord& record);

  // Adds another shard's.
  void Add(const TrafficTally& other);

  // By bytes, the busiest first.
  std::vector<FlowRecord> Busiest() const;

  const TopTalkers& talkers() const { return talkers_; }
  uint64_t flows() const { return flows_; }
  // First and last packet of all flows; equal when there is none.
  int64_t first_ns() const { return flows_ == 0 ? 0 : first_ns_; }
  int64_t last_ns() const { return flows_ == 0 ? 0 : last_ns_; }

 private:
  void KeepIfBusy(const FlowRecord& record);
  void CountTalkers(const FlowRecord& record);

  size_t wanted_;
  std::vector<FlowRecord> heap_;  // the least busy at the front
  TopTalkers talkers_;
  uint64_t flows_ = 0;
  int64_t first_ns_ = INT64_MAX;
  int64_t last_ns_ = INT64_MIN;
};

}  // namespace weir

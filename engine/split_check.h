// Finds out by sample whether flows are cut: whether packets of one flow, or its two directions,
// come to several shards of an interface. One address pair in 256 is looked at, with all its TCP
// and UDP flows, when a flow starts. Equal addresses in two tunnels are two flows.
//
// What it tells of is the steering: see FanoutMode. Shared by the shards of one interface. Thread:
// any; each keeps its own SplitCounters.
#pragma once

#include <cstdint>
#include <span>

#include "engine/flow/event.h"
#include "engine/flow/record.h"
#include "engine/stats/split_counters.h"
#include "rings/claim_table.h"

namespace weir {

class SplitCheck {
 public:
  // Event kinds that Look needs.
  static constexpr uint32_t kEvents = event_mask::Of(EventKind::kFlowStarted);
  static constexpr uint32_t kSampleOneIn = 256;  // address pairs

  // `sample_one_in` of the address pairs are looked at; a power of two.
  explicit SplitCheck(uint32_t sample_one_in = kSampleOneIn) : mask_(sample_one_in - 1) {}

  // What `shard` reported in one batch.
  void Look(uint16_t shard, std::span<const Event> events, SplitCounters& counters);

 private:
  void Note(uint16_t shard, const FlowRecord& record, SplitCounters& counters);

  uint32_t mask_;
  ClaimTable claims_;
};

}  // namespace weir

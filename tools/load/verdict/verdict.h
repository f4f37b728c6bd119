// What came out beside what went in: every frame and byte that is missing has a named counter, or
// it is a fault.
//
// Thread: any; all of it is plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/stats/shard_counters.h"
#include "tools/load/traffic/traffic_model.h"
#include "tools/load/verdict/observation.h"

namespace weir::load {

struct VerdictInput {
  const Truth& truth;             // of the frames that were made
  const Observation& seen;        // of all shards
  const ShardCounters& counters;  // of all shards, after the end
  uint64_t sent = 0;              // frames that left the sender; the others are `refused`
  uint64_t refused = 0;           // frames that the sender's interface did not take
  bool compared = true;           // false: nobody looked at what was delivered
  // The receiver's interface may carry frames of others: these are told, and are no fault.
  bool shared = false;
};

struct Verdict {
  // Frames between the sender and the engine's tables.
  uint64_t made = 0;
  uint64_t sent = 0;
  uint64_t received = 0;
  uint64_t lost = 0;        // made, not received, whatever the reason
  uint64_t named_lost = 0;  // of these, counted by the sender, the device, the kernel or the ring
  uint64_t refused = 0;     // received, not tracked: each ledger line but those of fragments

  uint64_t flows_expected = 0;
  uint64_t flows_found = 0;
  uint64_t flows_wrong = 0;  // found, with other packets, bytes or directions than were sent

  uint64_t bytes_expected = 0;  // of streams and datagrams
  uint64_t bytes_delivered = 0;
  uint64_t bytes_in_holes = 0;
  uint64_t bytes_checked = 0;

  // What is wrong and explained by no counter, a sentence each. Empty: all is as it should be.
  std::vector<std::string> faults;
  // What was lost, and which counter says so.
  std::vector<std::string> losses;

  bool good() const { return faults.empty(); }
};

Verdict Judge(const VerdictInput& input);

}  // namespace weir::load

// What one run of traffic through an engine gave: the truth, what was seen, and what it cost.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/shard_consumer.h"
#include "engine/stats/shard_counters.h"
#include "rings/frame_source.h"
#include "tools/load/stamp/probe_stamps.h"
#include "tools/load/traffic/traffic_model.h"
#include "tools/load/verdict/observation.h"

namespace weir::load {

struct RunResult {
  std::string way;  // "memory", "eth0 (AF_PACKET)"...
  int shards = 1;
  bool verified = true;  // every delivered byte was compared

  Truth truth;
  Observation seen;
  ShardCounters counters;  // of all shards
  std::optional<PortDelays> port_delays;

  uint64_t sent = 0;
  uint64_t refused = 0;       // by the sender's interface
  double send_seconds = 0;    // from the first frame to the last; memory: 0
  double cpu_seconds = 0;     // of the shards' threads, what the observer took included if verified
  uint64_t timed_frames = 0;  // that cpu_seconds were spent on
  uint64_t cycles = 0;        // of the processor's time stamp counter in these; 0: it has none
  uint64_t engine_bytes = 0;  // memory of the tables of all shards, rings apart; 0: not known
  uint64_t resident_bytes = 0;  // of this process at its most, the truth included

  std::vector<std::string> notes;  // what differs from what was asked for
};

// What stands between the engine and those who watch it; for tests that plant a fault there. Null:
// nothing.
struct RunHooks {
  std::function<std::unique_ptr<FrameSource>(std::unique_ptr<FrameSource>)> source;
  std::function<std::unique_ptr<ShardConsumer>(std::unique_ptr<ShardConsumer>)> consumer;
};

// The most memory that this process had, in bytes: getrusage(2).
uint64_t PeakResidentBytes();
// CPU time of the calling thread in seconds.
double ThreadCpuSeconds();
// Cycles of the time stamp counter per second of CPU time; 0: the processor has none.
double CyclesPerSecond();

}  // namespace weir::load

// What an Engine says of one of its shards while it runs. A copy: stays valid on any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/stats/shard_counters.h"

namespace weir {

enum class ShardState : uint8_t {
  kReady,    // not started
  kRunning,  // also while the wire is silent
  kStalled,  // has shown no sign of life for EngineOptions::stall_ns: its consumer blocks, or the
             // thread gets no processor
  kFailed,   // see status. Its share of the frames is lost, and counted as ring_dropped: see Engine
  kDone,     // the sources have ended, or it was stopped; all flows were reported
};
inline std::string_view Name(ShardState state) {
  constexpr std::string_view kNames[] = {"ready", "running", "stalled", "failed", "done"};
  return kNames[static_cast<size_t>(state)];
}

struct ShardReport {
  int shard = 0;
  std::string name;       // interfaces: "eth0", "eth0+eth1"; else what the first source is called
  std::vector<int> cpus;  // it may run on these; empty: anywhere
  ShardState state = ShardState::kReady;
  absl::Status status;  // kFailed: why. Else not OK when one leg of several has failed
  // As they were `age_ns` ago: shown every EngineOptions::publish_ns, and at the end.
  ShardCounters counters;
  int64_t age_ns = 0;
  int64_t cpu_ns = 0;  // processor time of the thread so far
};

}  // namespace weir

// Opens what an Engine reads and says which shard gets it, on which processor, from which NUMA
// node's memory. Internal to engine/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine_options.h"
#include "rings/kernel_filter.h"

namespace weir {

struct ShardPlan {
  ShardSources sources;
  std::string name;
  std::vector<int> cpus;  // empty: anywhere
  int memory_node = -1;   // negative: wherever the calling thread's comes from
  bool live = false;
  std::vector<std::shared_ptr<KernelFilter>> kernel_filters;  // of each source; or none has one
  std::string expression;  // to apply in the shard; empty: there is none
  int interface = -1;      // into EnginePlan::backends; -1: a ready-made source
  int group = -1;          // shards of one fanout group have the same number; -1: alone
};

struct EnginePlan {
  std::vector<ShardPlan> shards;
  std::vector<FanoutMode> modes;                                    // of each interface
  std::vector<BackendChoice> backends;                              // of each interface
  std::vector<std::vector<std::shared_ptr<KernelFilter>>> filters;  // of each interface's legs
  std::vector<std::string> notes;
};

absl::StatusOr<EnginePlan> MakeEnginePlan(EngineOptions& options);

}  // namespace weir

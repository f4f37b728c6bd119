// Opens an interface by the first rung of the ladder that works, for as many shards as it should
// have. Internal to engine/.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/backend.h"
#include "engine/engine_options.h"
#include "rings/kernel_filter.h"

namespace weir {

struct InterfaceSources {
  std::vector<ShardSources> shards;                           // of each, one source of each leg
  std::vector<std::shared_ptr<KernelFilter>> kernel_filters;  // of each leg; or none has one
  FanoutMode mode = FanoutMode::kHash;  // how frames are distributed; AF_XDP: by receive queue
  std::string expression;               // that the shards must apply; empty: there is none
  BackendChoice choice;
  std::vector<std::string> notes;  // what differs from what was asked for, for people
};

// "eth0", "eth0+eth1".
std::string NameOf(const EngineInterface& interface);

// `shards`: how many were asked for; 0: as many as fit, at most `most`.
absl::StatusOr<InterfaceSources> OpenInterface(const EngineInterface& interface, int shards,
                                               int most);

}  // namespace weir

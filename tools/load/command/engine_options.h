// How the engine that is tried is set up, on the command line: the names are those of weir itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine_options.h"
#include "tools/load/traffic/profile.h"

namespace CLI {
class App;
}

namespace weir::load {

struct EngineChoice {
  int shards = 1;
  std::vector<int> cpus;
  uint64_t max_flows = 0;      // 0: as many as the profile needs
  uint64_t stream_memory = 0;  // bytes; 0: the library's default
  bool streams = true;
  uint32_t ring_mib = 64;
  BackendOptions backend;
  FanoutOptions fanout{.mode = FanoutMode::kEbpf};
};

// Options that set `choice`, which lives as long as `app` parses.
void AddEngineOptions(CLI::App& app, EngineChoice& choice, bool live);

// What each shard is made with. No flow of the profile times out on its own.
ShardOptions MakeShardOptions(const EngineChoice& choice, const TrafficProfile& profile);
// An engine that listens on one interface.
EngineOptions MakeEngineOptions(const EngineChoice& choice, const TrafficProfile& profile,
                                const std::string& interface);

}  // namespace weir::load

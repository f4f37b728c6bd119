// What the options name, in an engine's words: the sources of frames and how they are shared out.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine_options.h"
#include "rings/capture_file_source.h"
#include "tools/weir/options.h"

namespace weir {

struct Capture {
  EngineOptions engine;  // all but `shard`; limits of the whole run are shared out by `fit`
  // The source where it is a file: lives as long as the engine. Its shard's thread only.
  const CaptureFileSource* file = nullptr;
};

// What every shard does. `filters`: MakeFilters.
ShardOptions MakeShardOptions(const CommandOptions& options,
                              std::vector<std::shared_ptr<PacketFilter>> filters);

// Opens a file; interfaces are opened by the engine. Errors say what failed and what to do.
absl::StatusOr<Capture> OpenCapture(const CommandOptions& options);

}  // namespace weir

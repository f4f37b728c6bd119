// Where the result of a run goes: text on standard output, JSON and a picture into files.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tools/load/run/run_result.h"
#include "tools/load/traffic/profile.h"

namespace CLI {
class App;
}

namespace weir::load {

struct RunOutputs {
  std::string json;     // "-": standard output, instead of the text; empty: none
  std::string picture;  // empty: none
};

void AddOutputOptions(CLI::App& app, RunOutputs& outputs);

absl::Status WriteText(const std::string& path, std::string_view text);

// Judges the run and tells it everywhere. The exit status: 0, or 1 when something is wrong.
int Tell(const TrafficProfile& profile, const absl::StatusOr<RunResult>& result,
         const RunOutputs& outputs, bool shared = false);

}  // namespace weir::load

// Opens what the options name: the source of frames.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rings/capture_file_source.h"
#include "rings/frame_source.h"
#include "tools/weir/options.h"

namespace weir {

struct Capture {
  std::vector<std::string> notes;       // what differs from what was asked for, for people
  std::unique_ptr<FrameSource> source;  // goes to the shard
  const CaptureFileSource* file =
      nullptr;  // the same where it is a file: lives as long as `source`
};

// Errors say what failed and what to do: no such interface, no privilege, not a capture file.
absl::StatusOr<Capture> OpenCapture(const CommandOptions& options);

}  // namespace weir

// All that a run writes to files. Thread: the one that polls. Errors: see RotatingFile, FilePool.
#pragma once

#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/stream_files.h"
#include "tools/weir/eve_output.h"
#include "tools/weir/frame_output.h"
#include "tools/weir/options.h"

namespace weir {

class Outputs {
 public:
  // `now_ns`, here and below: packet time; of a file that was not read yet, its first packet's.
  static absl::StatusOr<Outputs> Open(const CommandOptions& options, int64_t now_ns);

  // What Handle wants to see: event_mask.
  static uint32_t EventsFor(const CommandOptions& options);

  absl::Status Handle(std::span<const Event> events, int64_t now_ns);
  absl::Status Flush(int64_t now_ns);
  absl::Status Reopen(int64_t now_ns);
  absl::Status Finish(const EveStats& stats);

  const StreamFiles* streams() const { return streams_.get(); }  // null: not asked for

 private:
  absl::Status HandleFlows(std::span<const Event> events, int64_t now_ns);

  std::unique_ptr<EveOutput> eve_;  // null, here and below: not asked for
  std::unique_ptr<FrameOutput> frames_;
  std::unique_ptr<StreamFiles> streams_;
};

}  // namespace weir

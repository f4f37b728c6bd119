// All that a run writes to files: Outputs is shared by the shards, ShardOutputs is one shard's
// part.
//
// Thread: Outputs any, ShardOutputs its shard's. Errors: see RotatingFile, FilePool; one of Outputs
// is returned to every shard.
#pragma once

#include <memory>
#include <mutex>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/shard_consumer.h"
#include "tools/stream_files.h"
#include "tools/weir/eve_output.h"
#include "tools/weir/frame_output.h"
#include "tools/weir/options.h"

namespace weir {

// `now_ns`, here and below: packet time; of a file that was not read yet, its first packet's.
class Outputs {
 public:
  explicit Outputs(const CommandOptions& options) : options_(options) {}

  // What ShardOutputs::Handle wants to see: event_mask.
  static uint32_t EventsFor(const CommandOptions& options);

  // Once; a later call has no effect and the first one's result.
  absl::Status Open(int64_t now_ns);
  absl::Status Reopen(int64_t now_ns);  // nothing before Open
  // After every ShardOutputs::Close.
  absl::Status Finish(const EveStats& stats);

  // After Open. Null: not asked for.
  EveFile* eve() const { return eve_.get(); }
  FrameOutput* frames() const { return frames_.get(); }

 private:
  const CommandOptions& options_;
  std::mutex mutex_;
  bool opened_ = false;       // guarded by mutex_
  absl::Status open_status_;  // guarded by mutex_
  // Written by Open only.
  std::unique_ptr<EveFile> eve_;
  std::unique_ptr<FrameOutput> frames_;
};

class ShardOutputs {
 public:
  // `shared` must outlive this object.
  static absl::StatusOr<std::unique_ptr<ShardOutputs>> Open(const CommandOptions& options,
                                                            Outputs& shared,
                                                            const ShardPlace& place,
                                                            int64_t now_ns);

  absl::Status Handle(std::span<const Event> events, int64_t now_ns);
  absl::Status Flush(int64_t now_ns);
  absl::Status Close(int64_t now_ns);

  const StreamFiles* streams() const { return streams_.get(); }  // null: not asked for

 private:
  explicit ShardOutputs(FrameOutput* frames) : frames_(frames) {}
  absl::Status HandleFlows(std::span<const Event> events, int64_t now_ns);

  FrameOutput* frames_;  // null, here and below: not asked for
  std::unique_ptr<EveOutput> eve_;
  std::unique_ptr<StreamFiles> streams_;
};

}  // namespace weir

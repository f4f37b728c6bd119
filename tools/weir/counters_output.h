// --counters: rows per interval, to a file or to standard output; a table where a person looks on.
//
// An interface's snapshots are merged and written on a thread of their own, so that no shard waits;
// a file's between two batches, so that every interval is there whatever the speed. Thread: for a
// file Collect is its shard's, and Finish comes after that thread has ended; all else is the
// session's. Errors are RotatingFile's.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/snapshot_queue.h"
#include "tools/weir/options.h"

namespace weir {

class CountersOutput {
 public:
  // What shards count for it; nothing where it was not asked for. `now_ns`: the clock.
  static std::optional<SnapshotOptions> OptionsFor(const CommandOptions& options, int64_t now_ns);

  // `queues`: of every shard; they must outlive this object. An interface's file is opened at once,
  // that of a capture with the first interval, whose time names it.
  static absl::StatusOr<std::unique_ptr<CountersOutput>> Open(const CommandOptions& options,
                                                              std::vector<SnapshotQueue*> queues);
  ~CountersOutput();

  // An interface: starts the thread. Before the shards'.
  void Start();

  // A file: after each batch, on the shard's thread. An interface: now and then, for the errors.
  absl::Status Collect();
  void Reopen();
  // How long after its end the last snapshot of a shard was merged, or how long the merger has been
  // at work since, whichever is longer; of an interface only, and empty before the first. Any
  // thread.
  std::optional<int64_t> SnapshotLagNs(size_t shard);
  // After the shards' threads have ended: writes all that is left.
  absl::Status Finish();

 private:
  class Impl;
  explicit CountersOutput(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir

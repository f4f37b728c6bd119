// --eve: flow records of all shards in one file or on standard output, in large pieces.
//
// EveFile is the file, EveOutput one shard's way there: each formats lines into a buffer of its own
// and hands over whole pieces, so that lines of shards never mix. Thread: EveFile any, EveOutput
// its shard's. Errors: those of RotatingFile; the first one is returned by every later call.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/export/eve_writer.h"
#include "engine/flow/record.h"
#include "engine/shard_consumer.h"
#include "tools/rotating_file.h"
#include "tools/weir/options.h"

namespace weir {

// `now_ns`, here and below, is what rotation goes by: packet time.
class EveFile {
 public:
  static absl::StatusOr<std::unique_ptr<EveFile>> Open(const CommandOptions& options,
                                                       int64_t now_ns);

  absl::Status Write(std::string_view lines, int64_t now_ns);  // whole lines
  // A piece that a shard still puts together (64 KiB at most; none on a silent wire) is in the new
  // file: nobody waits for shards, and no line is lost or cut.
  absl::Status Reopen();
  absl::Status Close();

 private:
  explicit EveFile(std::unique_ptr<RotatingFile> file) : file_(std::move(file)) {}

  std::mutex mutex_;
  std::unique_ptr<RotatingFile> file_;  // guarded by mutex_
  absl::Status status_;                 // guarded by mutex_
};

class EveOutput {
 public:
  // `file` must outlive this object.
  EveOutput(EveFile& file, const CommandOptions& options, const ShardPlace& place);

  // Takes a flow record and the files of its streams; writes once enough has come together.
  absl::Status Append(const FlowRecord& record, const StreamFileNames& files, int64_t now_ns);
  // Writes what is there: the wire is silent, and a reader waits.
  absl::Status Flush(int64_t now_ns);

 private:
  EveFile& file_;
  EveWriter writer_;
  absl::Status status_;
};

// The last line of the file.
absl::Status WriteStats(EveFile& file, const CommandOptions& options, const EveStats& stats);

}  // namespace weir

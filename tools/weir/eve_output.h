// --eve: flow records to files or to standard output, in large pieces.
//
// Thread: the one that polls. Errors: those of RotatingFile; the first one is returned by every
// later call.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/export/eve_writer.h"
#include "engine/flow/record.h"
#include "tools/rotating_file.h"
#include "tools/weir/options.h"

namespace weir {

// `now_ns` is what rotation goes by: packet time.
class EveOutput {
 public:
  static absl::StatusOr<std::unique_ptr<EveOutput>> Open(const CommandOptions& options,
                                                         int64_t now_ns);

  // Takes a flow record and the files of its streams; writes once enough has come together.
  absl::Status Append(const FlowRecord& record, const StreamFileNames& files, int64_t now_ns);
  // Writes what is there: the wire is silent, and a reader waits.
  absl::Status Flush(int64_t now_ns);
  absl::Status Reopen(int64_t now_ns);
  // The stats line, and all that is left.
  absl::Status Finish(const EveStats& stats);

 private:
  EveOutput(const EveOptions& options, std::unique_ptr<RotatingFile> file)
      : writer_(options), file_(std::move(file)) {}

  EveWriter writer_;
  std::unique_ptr<RotatingFile> file_;
  absl::Status status_;
};

}  // namespace weir

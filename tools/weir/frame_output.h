// --write: the frames of all shards that passed filter and dedup, as pcap. Those of one batch stand
// together; batches of different shards come as they are ready, so time stamps of different shards
// may go back a little.
//
// Thread: any. Errors: those of RotatingFile; the first one is returned by every later call.
#pragma once

#include <mutex>
#include <span>

#include "absl/status/status.h"
#include "engine/flow/event.h"
#include "tools/pcap_writer.h"
#include "tools/weir/options.h"

namespace weir {

// `now_ns` is what rotation goes by: packet time.
class FrameOutput {
 public:
  explicit FrameOutput(const CommandOptions& options);

  absl::Status Handle(std::span<const Event> events, int64_t now_ns);
  absl::Status Flush(int64_t now_ns);
  absl::Status Reopen(int64_t now_ns);
  absl::Status Close(int64_t now_ns);

 private:
  std::mutex mutex_;
  PcapWriter writer_;    // guarded by mutex_
  absl::Status status_;  // guarded by mutex_
};

}  // namespace weir

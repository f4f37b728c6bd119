// --write: the frames that passed filter and dedup, as pcap.
//
// Thread: the one that polls. Errors: those of RotatingFile; the first one is returned by every
// later call.
#pragma once

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
  absl::Status Flush(int64_t now_ns) { return Keep(writer_.Flush(now_ns)); }
  absl::Status Reopen(int64_t now_ns) { return Keep(writer_.Reopen(now_ns)); }
  absl::Status Finish(int64_t now_ns) { return Keep(writer_.Close(now_ns)); }

 private:
  absl::Status Keep(const absl::Status& status) {
    status_.Update(status);
    return status_;
  }

  PcapWriter writer_;
  absl::Status status_;
};

}  // namespace weir

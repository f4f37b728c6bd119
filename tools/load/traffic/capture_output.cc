#include "tools/load/traffic/capture_output.h"

#include <span>

#include "tools/pcap_writer.h"

namespace weir::load {

absl::Status WriteCapture(TrafficModel& model, const std::string& path) {
  constexpr size_t kFramesAtOnce = 256;
  constexpr int64_t kNow = 0;  // files are not rotated
  PcapWriter writer({.path = path});
  for (;;) {
    const std::span<const Frame> frames = model.Next(kFramesAtOnce);
    if (frames.empty()) return writer.Close(kNow);
    if (absl::Status status = writer.Write(frames, kNow); !status.ok()) return status;
  }
}

}  // namespace weir::load

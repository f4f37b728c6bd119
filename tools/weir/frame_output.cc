#include "tools/weir/frame_output.h"

namespace weir {
namespace {

RotatingFile::Options FileOptions(const CommandOptions& options) {
  RotatingFile::Options file;
  file.path = options.write;
  file.rotate_bytes = options.rotate.bytes;
  file.rotate_ns = options.rotate.age_ns;
  return file;
}

}  // namespace

FrameOutput::FrameOutput(const CommandOptions& options) : writer_(FileOptions(options)) {}

absl::Status FrameOutput::Handle(std::span<const Event> events, int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  for (const Event& event : events) {
    if (event.kind != EventKind::kFrame || !status_.ok()) continue;
    status_.Update(writer_.Write(*event.frame, now_ns));
  }
  return status_;
}

absl::Status FrameOutput::Flush(int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  status_.Update(writer_.Flush(now_ns));
  return status_;
}

absl::Status FrameOutput::Reopen(int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  status_.Update(writer_.Reopen(now_ns));
  return status_;
}

absl::Status FrameOutput::Close(int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  status_.Update(writer_.Close(now_ns));
  return status_;
}

}  // namespace weir

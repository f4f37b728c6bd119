#include "tools/weir/outputs.h"

namespace weir {

absl::StatusOr<Outputs> Outputs::Open(const CommandOptions& options, int64_t now_ns) {
  Outputs outputs;
  if (!options.eve.empty()) {
    auto eve = EveOutput::Open(options, now_ns);
    if (!eve.ok()) return eve.status();
    outputs.eve_ = *std::move(eve);
  }
  if (!options.write.empty()) outputs.frames_ = std::make_unique<FrameOutput>(options);
  return outputs;
}

uint32_t Outputs::EventsFor(const CommandOptions& options) {
  return event_mask::kRecords | (options.write.empty() ? 0 : event_mask::kFrames);
}

absl::Status Outputs::Handle(std::span<const Event> events, int64_t now_ns) {
  absl::Status status;
  if (eve_) status.Update(eve_->Handle(events, now_ns));
  if (frames_) status.Update(frames_->Handle(events, now_ns));
  return status;
}

absl::Status Outputs::Flush(int64_t now_ns) {
  absl::Status status;
  if (eve_) status.Update(eve_->Flush(now_ns));
  if (frames_) status.Update(frames_->Flush(now_ns));
  return status;
}

absl::Status Outputs::Reopen(int64_t now_ns) {
  absl::Status status;
  if (eve_) status.Update(eve_->Reopen(now_ns));
  if (frames_) status.Update(frames_->Reopen(now_ns));
  return status;
}

absl::Status Outputs::Finish(const EveStats& stats) {
  absl::Status status;
  if (eve_) status.Update(eve_->Finish(stats));
  if (frames_) status.Update(frames_->Finish(stats.time_ns));
  return status;
}

}  // namespace weir

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
  if (!options.streams.empty()) {
    auto streams = StreamFiles::Open({.folder = options.streams, .holes = options.stream_holes});
    if (!streams.ok()) return streams.status();
    outputs.streams_ = *std::move(streams);
  }
  return outputs;
}

uint32_t Outputs::EventsFor(const CommandOptions& options) {
  return event_mask::kRecords | (options.write.empty() ? 0 : event_mask::kFrames) |
         (options.streams.empty() ? 0 : StreamFiles::kEvents);
}

absl::Status Outputs::Handle(std::span<const Event> events, int64_t now_ns) {
  absl::Status status;
  if (eve_ || streams_) status = HandleFlows(events, now_ns);
  if (frames_) status.Update(frames_->Handle(events, now_ns));
  return status;
}

// Event by event: a record is written while the names of its files are known, before its end is
// handled.
absl::Status Outputs::HandleFlows(std::span<const Event> events, int64_t now_ns) {
  absl::Status status;
  for (const Event& event : events) {
    const bool record =
        event.kind == EventKind::kFlowEnded || event.kind == EventKind::kFlowInterim;
    if (eve_ && record) {
      const StreamFileNames files =
          streams_ ? streams_->NamesOf(event.record->handle) : StreamFileNames();
      status.Update(eve_->Append(*event.record, files, now_ns));
    }
    if (streams_) status.Update(streams_->Handle(event));
  }
  return status;
}

absl::Status Outputs::Flush(int64_t now_ns) {
  absl::Status status;
  if (streams_) status.Update(streams_->Flush());
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
  if (streams_) status.Update(streams_->Close());
  if (eve_) status.Update(eve_->Finish(stats));
  if (frames_) status.Update(frames_->Finish(stats.time_ns));
  return status;
}

}  // namespace weir

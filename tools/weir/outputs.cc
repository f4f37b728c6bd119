#include "tools/weir/outputs.h"

#include <algorithm>
#include <utility>

#include "tools/file_pool.h"

namespace weir {

uint32_t Outputs::EventsFor(const CommandOptions& options) {
  return event_mask::kRecords | (options.write.empty() ? 0 : event_mask::kFrames) |
         (options.streams.empty() ? 0 : StreamFiles::kEvents);
}

absl::Status Outputs::Open(int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(opened_, true)) return open_status_;
  if (!options_.write.empty()) frames_ = std::make_unique<FrameOutput>(options_);
  if (options_.eve.empty()) return open_status_;
  auto eve = EveFile::Open(options_, now_ns);
  open_status_ = eve.status();
  if (eve.ok()) eve_ = *std::move(eve);
  return open_status_;
}

absl::Status Outputs::Reopen(int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  absl::Status status;
  if (eve_) status.Update(eve_->Reopen());
  if (frames_) status.Update(frames_->Reopen(now_ns));
  return status;
}

absl::Status Outputs::Finish(const EveStats& stats) {
  absl::Status status;
  if (eve_) {
    status.Update(WriteStats(*eve_, options_, stats));
    status.Update(eve_->Close());
  }
  if (frames_) status.Update(frames_->Close(stats.time_ns));
  return status;
}

absl::StatusOr<std::unique_ptr<ShardOutputs>> ShardOutputs::Open(const CommandOptions& options,
                                                                 Outputs& shared,
                                                                 const ShardPlace& place,
                                                                 int64_t now_ns) {
  if (auto status = shared.Open(now_ns); !status.ok()) return status;
  auto outputs = std::unique_ptr<ShardOutputs>(new ShardOutputs(shared.frames()));
  if (shared.eve() != nullptr) {
    outputs->eve_ = std::make_unique<EveOutput>(*shared.eve(), options, place);
  }
  if (!options.streams.empty()) {
    StreamFilesOptions files = {.folder = options.streams, .holes = options.stream_holes};
    const auto shards = static_cast<size_t>(place.shards);
    files.handles = std::max<size_t>(FilePool::DefaultHandles() / shards, 1);
    auto streams = StreamFiles::Open(files);
    if (!streams.ok()) return streams.status();
    outputs->streams_ = *std::move(streams);
  }
  return outputs;
}

absl::Status ShardOutputs::Handle(std::span<const Event> events, int64_t now_ns) {
  absl::Status status;
  if (eve_ || streams_) status = HandleFlows(events, now_ns);
  if (frames_ != nullptr) status.Update(frames_->Handle(events, now_ns));
  return status;
}

// Event by event: a record is written while the names of its files are known, before its end is
// handled.
absl::Status ShardOutputs::HandleFlows(std::span<const Event> events, int64_t now_ns) {
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

absl::Status ShardOutputs::Flush(int64_t now_ns) {
  absl::Status status;
  if (streams_) status.Update(streams_->Flush());
  if (eve_) status.Update(eve_->Flush(now_ns));
  if (frames_ != nullptr) status.Update(frames_->Flush(now_ns));
  return status;
}

absl::Status ShardOutputs::Close(int64_t now_ns) {
  absl::Status status;
  if (streams_) status.Update(streams_->Close());
  if (eve_) status.Update(eve_->Flush(now_ns));
  return status;
}

}  // namespace weir

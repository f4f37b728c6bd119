#include "tools/weir/shard_session.h"

#include <utility>

#include "absl/time/clock.h"
#include "engine/shard.h"
#include "rings/clock.h"

namespace weir {
namespace {

// Coarse: some nanoseconds, cheap enough for once per batch.
int64_t CoarseClockNs() { return ReadClockNs(CLOCK_MONOTONIC_COARSE); }

}  // namespace

int64_t TimeOf(const Shard& shard) {
  const int64_t time_ns = shard.time_ns();
  return time_ns >= 0 ? time_ns : absl::GetCurrentTimeNanos();
}

// A file's after the first batch, so that the time stamps in a file's packets name and rotate its
// outputs.
absl::Status ShardSession::OpenOutputs(int64_t now_ns) {
  auto outputs = ShardOutputs::Open(context_.options, context_.outputs, place_, now_ns);
  if (!outputs.ok()) return outputs.status();
  outputs_ = *std::move(outputs);
  return absl::OkStatus();
}

absl::Status ShardSession::OnStart(Shard& shard) {
  return context_.options.live_capture() ? OpenOutputs(TimeOf(shard)) : absl::OkStatus();
}

absl::Status ShardSession::OnBatch(Shard& shard, std::span<const Event> events) {
  const int64_t now_ns = TimeOf(shard);
  if (!outputs_) {
    if (auto status = OpenOutputs(now_ns); !status.ok()) return status;
  }
  if (context_.tally) {
    for (const Event& event : events) {
      if (event.kind == EventKind::kFlowEnded) tally_.Add(*event.record);
    }
  }
  if (context_.screen_ns != 0) ShowIfDue(shard);
  absl::Status status = outputs_->Handle(events, now_ns);
  if (context_.counters != nullptr) status.Update(context_.counters->Collect());
  return status;
}

absl::Status ShardSession::OnIdle(Shard& shard) {
  if (context_.screen_ns != 0) ShowIfDue(shard);
  return outputs_ ? outputs_->Flush(TimeOf(shard)) : absl::OkStatus();
}

void ShardSession::ShowIfDue(Shard& shard) {
  const int64_t now_ns = CoarseClockNs();
  if (now_ns < next_scene_ns_) return;
  next_scene_ns_ = now_ns + context_.screen_ns;
  ShardScene scene;
  if (context_.busy_flows) {
    scene.too_many = shard.flows().alive() > ShardScene::kMostFlowsToRank;
    if (!scene.too_many) scene.busy = RankFlows(shard.flows(), ShardScene::kBusyFlows);
  }
  if (context_.file != nullptr) {
    scene.bytes_read = context_.file->bytes_read();
    scene.bytes_total = context_.file->total_bytes();
  }
  const std::lock_guard lock(mutex_);
  scene_ = std::move(scene);
}

void ShardScene::Add(const ShardScene& other) {
  busy.insert(busy.end(), other.busy.begin(), other.busy.end());
  KeepBusiest(busy, kBusyFlows);
  too_many |= other.too_many;
  bytes_read += other.bytes_read;
  bytes_total += other.bytes_total;
}

ShardScene ShardSession::Scene() {
  const std::lock_guard lock(mutex_);
  return scene_;
}

absl::Status ShardSession::OnEnd(Shard& shard, const absl::Status& why) {
  absl::Status status = why;
  if (!outputs_) return status;
  status.Update(outputs_->Close(TimeOf(shard)));
  if (const StreamFiles* const streams = outputs_->streams()) {
    streams_ = {streams->folder(), streams->files(), streams->bytes()};
  }
  return status;
}

}  // namespace weir

#include "tools/load/run/memory_run.h"

#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/flow/flow_tracker.h"
#include "engine/placement.h"
#include "rings/memory_source.h"
#include "rings/umem_source.h"
#include "tools/load/verdict/flow_observer.h"

namespace weir::load {
namespace {

// The number of a frame's flow: see tools/load/traffic/traffic_model.h.
uint32_t FlowOf(const Frame& frame) {
  const uint8_t* const at = frame.data + 8;
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

absl::StatusOr<std::unique_ptr<RefilledSource>> MakeRing(const MemoryRunOptions& options) {
  MemorySourceOptions blocks{.block_count = options.ring_blocks};
  if (options.umem_chunk_bytes == 0) return MemorySource::Create(blocks);
  return UmemSource::Create({.ring_bytes = blocks.block_bytes * blocks.block_count,
                             .chunk_bytes = options.umem_chunk_bytes});
}

// One shard, the ring that feeds it and the model that fills the ring.
class MemoryLane {
 public:
  static absl::StatusOr<std::unique_ptr<MemoryLane>> Create(const MemoryRunOptions& options,
                                                            int index) {
    auto lane = std::unique_ptr<MemoryLane>(new MemoryLane(options, index));
    if (auto status = lane->Start(); !status.ok()) return status;
    return lane;
  }

  absl::Status Run();

  const Truth& truth() const { return model_->truth(); }
  Observation TakeObservation() { return observer_->TakeObservation(); }
  ShardCounters Counters() { return shard_->Counters(); }
  double cpu_seconds() const { return cpu_seconds_; }

 private:
  static constexpr size_t kFramesAtOnce = 8192;

  MemoryLane(const MemoryRunOptions& options, int index) : options_(options), index_(index) {}
  absl::Status Start();
  bool Refill();
  absl::Status Drain();

  const MemoryRunOptions& options_;
  int index_;
  std::unique_ptr<TrafficModel> model_;
  std::unique_ptr<ShardConsumer> consumer_;  // holds the observer
  FlowObserver* observer_ = nullptr;
  RefilledSource* ring_ = nullptr;  // the shard's
  std::unique_ptr<Shard> shard_;
  std::span<const Frame> pending_;
  std::vector<Frame> own_;  // of pending_, where other shards have the rest
  double cpu_seconds_ = 0;
};

absl::Status MemoryLane::Start() {
  auto model = TrafficModel::Create(options_.profile);
  if (!model.ok()) return model.status();
  model_ = *std::move(model);
  auto observer = std::make_unique<FlowObserver>(options_.profile, options_.verify);
  observer_ = observer.get();
  consumer_ = std::move(observer);
  if (options_.hooks.consumer) consumer_ = options_.hooks.consumer(std::move(consumer_));
  auto ring = MakeRing(options_);
  if (!ring.ok()) return ring.status();
  ring_ = ring->get();
  std::unique_ptr<FrameSource> source = *std::move(ring);
  if (options_.hooks.source) source = options_.hooks.source(std::move(source));
  ShardOptions shard = options_.shard;
  shard.events = FlowObserver::Events(options_.profile, options_.verify);
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(source));
  auto made = Shard::Create(shard, std::move(sources));
  if (!made.ok()) return made.status();
  shard_ = *std::move(made);
  return absl::OkStatus();
}

// False when the model has ended and everything is in the ring.
bool MemoryLane::Refill() {
  for (;;) {
    pending_ = pending_.subspan(ring_->Refill(pending_));
    if (!pending_.empty()) return true;
    pending_ = model_->Next(kFramesAtOnce);
    if (pending_.empty()) return false;
    if (options_.shards == 1) continue;
    own_.clear();
    for (const Frame& frame : pending_) {
      if (FlowOf(frame) % static_cast<uint32_t>(options_.shards) == static_cast<uint32_t>(index_))
        own_.push_back(frame);
    }
    pending_ = own_;
  }
}

absl::Status MemoryLane::Drain() {
  while (ring_->ready()) {
    const std::span<const Event> events = shard_->Poll();
    if (auto status = consumer_->OnBatch(*shard_, events); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status MemoryLane::Run() {
  bool more = true;
  while (more) {
    more = Refill();
    const bool counts = truth().frames > options_.warm_up;
    const double start = ThreadCpuSeconds();
    if (auto status = Drain(); !status.ok()) return status;
    if (counts) cpu_seconds_ += ThreadCpuSeconds() - start;
  }
  ring_->End();
  while (!shard_->done()) {
    const std::span<const Event> events = shard_->Poll();
    if (auto status = consumer_->OnBatch(*shard_, events); !status.ok()) return status;
  }
  return shard_->status();
}

}  // namespace

absl::StatusOr<RunResult> RunInMemory(const MemoryRunOptions& options) {
  if (options.shards < 1) return absl::InvalidArgumentError("a run needs a shard");
  std::vector<std::unique_ptr<MemoryLane>> lanes;
  for (int i = 0; i < options.shards; ++i) {
    auto lane = MemoryLane::Create(options, i);
    if (!lane.ok()) return lane.status();
    lanes.push_back(*std::move(lane));
  }
  std::vector<absl::Status> ends(lanes.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < lanes.size(); ++i) {
    threads.emplace_back([&, i] {
      if (!options.cpus.empty()) ends[i] = PinThread({&options.cpus[i % options.cpus.size()], 1});
      if (ends[i].ok()) ends[i] = lanes[i]->Run();
    });
  }
  for (std::thread& thread : threads) thread.join();

  RunResult result;
  result.way = options.umem_chunk_bytes == 0
                   ? "memory"
                   : absl::StrCat("memory (UMEM, chunks of ", options.umem_chunk_bytes, " B)");
  result.shards = options.shards;
  result.verified = options.verify;
  for (size_t i = 0; i < lanes.size(); ++i) {
    if (!ends[i].ok()) return ends[i];
    result.seen.Add(lanes[i]->TakeObservation());
    result.counters.Add(lanes[i]->Counters());
    result.cpu_seconds += lanes[i]->cpu_seconds();
    result.engine_bytes += FlowTracker::MemoryBytes(options.shard.flow);
  }
  result.truth = lanes.front()->truth();
  result.sent = result.truth.frames;
  result.timed_frames = result.sent - std::min(result.sent, options.warm_up);
  result.cycles = static_cast<uint64_t>(result.cpu_seconds * CyclesPerSecond());
  result.resident_bytes = PeakResidentBytes();
  return result;
}

}  // namespace weir::load

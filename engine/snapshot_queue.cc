#include "engine/snapshot_queue.h"

#include <algorithm>
#include <random>

namespace weir {

absl::StatusOr<std::unique_ptr<SnapshotQueue>> SnapshotQueue::Create(
    const SnapshotOptions& options) {
  if (options.interval_ns <= 0) {
    return absl::InvalidArgumentError("the interval of snapshots must be longer than nothing");
  }
  std::random_device random;
  const DeltaOptions deltas{.by = options.by,
                            .flows = options.flows,
                            .addresses = options.addresses,
                            .seed = uint64_t{random()} << 32 | random()};
  std::unique_ptr<SnapshotQueue> queue(new SnapshotQueue(options));
  for (Snapshot& snapshot : queue->snapshots_) {
    auto made = IntervalDeltas::Create(deltas);
    if (!made.ok()) return made.status();
    snapshot.deltas = *std::move(made);
    snapshot.shard = options.shard;
    if (&snapshot != queue->open_) queue->empty_.Push(&snapshot);
  }
  return queue;
}

SnapshotQueue::SnapshotQueue(const SnapshotOptions& options)
    : clock_(options.interval_ns, options.origin_ns),
      open_(snapshots_.data()),
      filled_(kSnapshots),
      empty_(kSnapshots) {}

Snapshot* SnapshotQueue::Take() {
  Snapshot* snapshot = nullptr;
  filled_.Pop(snapshot);
  return snapshot;
}

void SnapshotQueue::GiveBack(Snapshot* snapshot) {
  snapshot->deltas->Clear();
  empty_.Push(snapshot);
}

void SnapshotQueue::Start() {
  open_->first_epoch = open_->last_epoch = clock_.epoch();
  open_->start_ns = clock_.start_ns();
  open_->complete = clock_.whole();
  open_->last = false;
}

void SnapshotQueue::Advance(int64_t time_ns, const ShardCounters& counters) {
  if (!clock_.open()) {
    clock_.Open(time_ns);
    Start();
    return;
  }
  Snapshot* next = nullptr;
  if (empty_.Pop(next)) {
    HandOver(clock_.end_ns(), counters);
    open_ = next;
    clock_.Open(time_ns);
    Start();
    return;
  }
  ++joined_intervals_;
  clock_.Open(time_ns);
  open_->first_epoch = std::min(open_->first_epoch, clock_.epoch());
  open_->last_epoch = std::max(open_->last_epoch, clock_.epoch());
  open_->start_ns = std::min(open_->start_ns, clock_.start_ns());
  open_->complete = false;
}

void SnapshotQueue::Finish(int64_t time_ns, const ShardCounters& counters) {
  const bool over = clock_.open() && time_ns >= clock_.end_ns();
  if (!over) open_->complete = false;
  open_->last = true;
  HandOver(clock_.open() ? std::clamp(time_ns, open_->start_ns, clock_.end_ns()) : 0, counters);
}

void SnapshotQueue::HandOver(int64_t end_ns, const ShardCounters& counters) {
  open_->end_ns = end_ns;
  open_->counters = counters;
  open_->tracked_packets = counters.ledger.tracked - tracked_packets_;
  open_->tracked_bytes = counters.ledger.tracked_bytes - tracked_bytes_;
  tracked_packets_ = counters.ledger.tracked;
  tracked_bytes_ = counters.ledger.tracked_bytes;
  filled_.Push(open_);  // there is room for all of them
}

}  // namespace weir

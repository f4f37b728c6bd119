#include "engine/snapshot_queue.h"

#include <algorithm>
#include <random>
#include <utility>

#include "rings/prefetch.h"

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

void SnapshotQueue::Prefetch() const {
  const auto* const counters = reinterpret_cast<const char*>(&open_->counters);
  for (size_t at = 0; at < sizeof open_->counters; at += 64) PrefetchToWrite(counters + at);
  PrefetchToWrite(open_);
  PrefetchToWrite(&open_->deltas);
  if (spare_ == nullptr) return;
  PrefetchToWrite(spare_);
  PrefetchToWrite(spare_deltas_);
}

// Known an interval ahead, where the merger is fast enough, so that Prefetch can ask for it.
bool SnapshotQueue::TakeSpare() {
  if (spare_ == nullptr && empty_.Pop(spare_)) spare_deltas_ = spare_->deltas.get();
  return spare_ != nullptr;
}

void SnapshotQueue::Advance(int64_t time_ns) {
  if (!clock_.open()) {
    clock_.Open(time_ns);
    Start();
    return;
  }
  if (TakeSpare()) {
    spare_deltas_->PrefetchFirst();
    HandOver(clock_.end_ns());
    open_ = std::exchange(spare_, nullptr);
    clock_.Open(time_ns);
    Start();
    TakeSpare();
    return;
  }
  ++joined_intervals_;
  clock_.Open(time_ns);
  open_->first_epoch = std::min(open_->first_epoch, clock_.epoch());
  open_->last_epoch = std::max(open_->last_epoch, clock_.epoch());
  open_->start_ns = std::min(open_->start_ns, clock_.start_ns());
  open_->complete = false;
}

void SnapshotQueue::Finish(int64_t time_ns) {
  const bool over = clock_.open() && time_ns >= clock_.end_ns();
  if (!over) open_->complete = false;
  open_->last = true;
  HandOver(clock_.open() ? std::clamp(time_ns, open_->start_ns, clock_.end_ns()) : 0);
}

void SnapshotQueue::HandOver(int64_t end_ns) {
  open_->end_ns = end_ns;
  const Ledger& ledger = open_->counters.ledger;
  open_->tracked_packets = ledger.tracked - tracked_packets_;
  open_->tracked_bytes = ledger.tracked_bytes - tracked_bytes_;
  tracked_packets_ = ledger.tracked;
  tracked_bytes_ = ledger.tracked_bytes;
  filled_.Push(open_);  // there is room for all of them
}

}  // namespace weir

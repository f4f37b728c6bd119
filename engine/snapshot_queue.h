// Snapshots on their way from a shard to whoever merges them, and back.
//
// Three of them go round. The shard counts into the open one; at an interval's end it hands it over
// and goes on with an empty one: two pushes and pops, whatever the tables hold. When no empty one
// is there, because the merger is slow, the shard goes on with the open one: resolution is lost,
// and the snapshot says so; counts never are. Nobody waits for anybody.
//
// Intervals end by packet time, between two frames; a live shard's also by the clock while the wire
// is silent.
//
// Thread: Take and GiveBack on one thread, the merger's; all else on the shard's. Either may end
// first; the queue must outlive both. Memory: taken in Create.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "engine/stats/interval_clock.h"
#include "engine/stats/snapshot.h"
#include "rings/spsc_queue.h"

namespace weir {

struct SnapshotOptions {
  CountBy by = CountBy::kIp;
  int64_t interval_ns = 5'000'000'000;
  // What intervals are counted from, the same for all shards: 0 aligns them to the wall clock. Not
  // set: the start of a live shard, the first packet of a file.
  std::optional<int64_t> origin_ns;
  uint32_t shard = 0;  // number, as it stands in the snapshots
  // Limits of one interval, see DeltaOptions. 0 flows: as many as FlowOptions::max_flows.
  uint32_t flows = 0;
  uint32_t addresses = 65'536;
};

class SnapshotQueue {
 public:
  static absl::StatusOr<std::unique_ptr<SnapshotQueue>> Create(const SnapshotOptions& options);

  // The oldest snapshot that is ready; null: none. It stays the taker's until GiveBack.
  Snapshot* Take();
  // Clears its tables: the merger's work, not the shard's.
  void GiveBack(Snapshot* snapshot);

  // Intervals that have no snapshot of their own: no empty table was there when they began.
  uint64_t joined_intervals() const { return joined_intervals_; }

  // Where to count now.
  IntervalDeltas* deltas() const { return open_->deltas.get(); }
  // True when a packet of this time belongs to another interval than the open one, or none is open.
  bool Due(int64_t time_ns) const { return clock_.Passed(time_ns); }
  // When the open interval ends; INT64_MAX when there is none yet.
  int64_t end_ns() const { return clock_.open() ? clock_.end_ns() : INT64_MAX; }
  // Asks for the memory that ending the interval touches, most of it for the first time in a while.
  // To be called a little before counters() are set.
  void Prefetch() const;
  // The shard's totals, to be set just before Advance and Finish.
  ShardCounters& counters() { return open_->counters; }
  // Ends the open interval, if any, and opens the one of `time_ns`. deltas() may be others
  // afterwards.
  void Advance(int64_t time_ns);
  // Hands over what is there, as the last one; it ends at `time_ns`. Nothing may be counted after.
  void Finish(int64_t time_ns);

 private:
  static constexpr size_t kSnapshots = 3;

  explicit SnapshotQueue(const SnapshotOptions& options);
  void Start();
  void HandOver(int64_t end_ns);
  bool TakeSpare();

  IntervalClock clock_;
  std::array<Snapshot, kSnapshots> snapshots_;
  Snapshot* open_;
  uint64_t joined_intervals_ = 0;
  Snapshot* spare_ = nullptr;  // the next one to open, once it is known; its tables:
  IntervalDeltas* spare_deltas_ = nullptr;
  uint64_t tracked_packets_ = 0;  // by the ledger, handed over so far
  uint64_t tracked_bytes_ = 0;
  SpscQueue<Snapshot*> filled_;
  SpscQueue<Snapshot*> empty_;
};

}  // namespace weir

// A live shard on a thread of its own, and what it reported, for tests.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/shard.h"
#include "rings/packet_source.h"
#include "tests/support/netns.h"

namespace weir::test {

class ShardRunner {
 public:
  // Opens the source in `where`, and starts. `processor` < 0: not pinned. CHECKs that it opens.
  ShardRunner(const NetNamespace& where, const PacketSourceOptions& source, ShardOptions options,
              int processor = -1);
  // Over a source that is open.
  ShardRunner(std::unique_ptr<FrameSource> source, ShardOptions options, int processor = -1);
  ~ShardRunner();

  // Stops the shard, waits until it is done. What follows may be called afterwards only.
  void Stop();

  const std::vector<FlowRecord>& ended() const { return ended_; }  // by FlowEnd, in order
  const Ledger& ledger() const { return shard_->ledger(); }
  DedupCounters dedup_counters() const { return shard_->dedup_counters(); }
  const SourceCounters& source_counters() const { return counters_; }
  absl::Status status() const { return shard_->status(); }
  int64_t thread_cpu_ns() const { return cpu_ns_; }
  int64_t held_up_ns() const { return held_up_ns_; }  // others had its processor

  // While it runs: clock at the moment that the last frame was polled, its time stamp, the frames
  // so far, and the flows that have ended.
  struct Seen {
    uint64_t frames = 0;
    int64_t timestamp_ns = 0;
    int64_t clock_ns = 0;
    uint64_t flows_ended = 0;
    int64_t flow_ended_clock_ns = 0;
  };
  Seen seen() const;

  // Waits until `done` is true of what was seen; false when it does not come to that.
  bool WaitFor(const std::function<bool(const Seen&)>& done,
               std::chrono::seconds most = std::chrono::minutes(1)) const;

 private:
  void Run(int processor);
  void Note(std::span<const Event> events);

  std::unique_ptr<Shard> shard_;
  std::vector<FlowRecord> ended_;
  SourceCounters counters_;
  int64_t cpu_ns_ = 0;
  int64_t held_up_ns_ = 0;
  mutable std::mutex mutex_;
  Seen seen_;  // guarded by mutex_
  std::thread thread_;
};

// CLOCK_REALTIME, as time stamps are.
int64_t ClockNs();

}  // namespace weir::test

// One shard: sources in, events and counters out, on one thread, run to completion.
//
//   for (;;) {
//     for (const Event& event : shard->Poll()) Handle(event);
//     if (shard->done()) break;
//     shard->Wait();
//   }
//
// Thread: one thread calls everything except Stop, which any thread or signal handler may call.
// Memory: taken in Create; Poll allocates nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/flow/event.h"
#include "engine/flow/options.h"
#include "engine/packet/decoder.h"
#include "engine/packet/dedup.h"
#include "engine/packet/defragmenter.h"
#include "engine/packet/packet_filter.h"
#include "engine/packet/transport_checksum.h"
#include "engine/snapshot_queue.h"
#include "engine/stats/delay_histogram.h"
#include "engine/stats/ledger.h"
#include "engine/stats/shard_counters.h"
#include "rings/frame_source.h"

namespace weir {

class FlowTracker;

// What a shard does while the ring of a source is nearly full.
enum class Overload : uint8_t {
  kTakeAll,    // nothing: frames are lost when it is full, of whichever flow
  kRefuseNew,  // frames of flows not tracked yet are shed, step by step: overload_gate.h
};

struct ShardOptions {
  DecoderOptions decoder;
  FlowOptions flow;
  DefragmentOptions defragment;
  DedupOptions dedup;  // mode kOff: no dedup stage
  // kCount: only where streams are reassembled (FlowOptions::streams); kDrop: always.
  ChecksumMode checksum = ChecksumMode::kCount;
  Overload overload = Overload::kTakeAll;
  std::vector<std::shared_ptr<PacketFilter>> filters;  // a frame must pass all of them
  uint32_t events = event_mask::kRecords;              // kinds that Poll reports
  std::optional<SnapshotOptions> snapshots;            // counters by interval
  // Wait polls the source this long before it sleeps. Nothing is won by it where the kernel hands
  // over whole blocks: the next one takes longer than a wake-up.
  int64_t spin_ns = 0;
  int64_t clock_slack_ns = 5'000'000;  // silent wire: packet time = clock - hold back - slack
  bool live = false;                   // packet time follows the clock while the wire is silent
  // Measures how long frames wait between their time stamp, which must be the clock's, and the
  // shard: one reading of the clock for each batch.
  bool measure_delay = false;
};

class Shard {
 public:
  // Several sources are merged by time stamp (rings/merged_source.h): the two legs of a TAP.
  static absl::StatusOr<std::unique_ptr<Shard>> Create(
      const ShardOptions& options, std::vector<std::unique_ptr<FrameSource>> sources);
  ~Shard();

  // One batch: receives, decodes, tracks, and returns what there is to tell. Never blocks; empty
  // when nothing happened. The events and all they point at live until the next Poll.
  std::span<const Event> Poll();

  // Sleeps until Poll has work, Stop is called or `timeout_ns` has passed (-1: as long as it takes;
  // flow time-outs wake it as well). Spins ShardOptions::spin_ns first.
  absl::Status Wait(int64_t timeout_ns = -1);

  // Other filters from the next Poll on, instead of ShardOptions::filters.
  void SetFilters(std::vector<std::shared_ptr<PacketFilter>> filters);

  // Readable when Poll has work: for epoll, io_uring or a coroutine's reactor. Call Poll until it
  // returns no events and `idle()`, then wait for the descriptor again.
  int fd();

  // True when the last Poll found no frame and nothing expired.
  bool idle() const;

  // No more frames: the next Polls end all flows (FlowEnd::kEnd), then done() becomes true.
  // Thread-safe and async-signal-safe; wakes Wait and fd().
  void Stop();

  // True when the sources have ended, or Stop was called, and every flow has been reported.
  bool done() const;

  // For who will call Poll no more although done() is false: hands over what was counted since the
  // last snapshot, as the last one. Once.
  void GiveUp();

  // OK, or why a source ended before its end (the first one that did).
  absl::Status status() const;

  // Where snapshots come out, on another thread; null: they were not asked for. The last one comes
  // before done(), or in GiveUp. One Poll ends one interval at most: who takes them after each Poll
  // sees each.
  SnapshotQueue* snapshots();

  // All of it in one copy; a system call per source. The rest below is parts of it, as they are.
  ShardCounters Counters();
  const Ledger& ledger() const;
  SourceCounters source_counters();      // sum over the sources; a system call each
  DedupCounters dedup_counters() const;  // zeros without a dedup stage
  const FragmentCounters& fragment_counters() const;
  const DelayHistogram* delays() const;  // null without ShardOptions::measure_delay
  FlowTracker& flows();
  // As they were given to Create. Read by the shard only.
  std::span<const std::unique_ptr<FrameSource>> sources() const;
  int64_t time_ns() const;  // packet time

 private:
  class Impl;
  explicit Shard(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir

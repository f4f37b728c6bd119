// Snapshots of all shards in, one report per interval out, and totals since the start.
//
// Shards are a little apart in time: a report waits until every shard has passed its end, so that
// it holds all there is. A shard that stays behind for more than a few intervals is not waited for:
// reports without it say that they are not complete, and what it brings late is a report of its
// own. Nothing is lost: all reports add up to the shards' ledgers.
//
// Thread: one. Pure: no thread, no clock. A snapshot may be given back after Add.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "engine/stats/snapshot.h"
#include "engine/stats/traffic_table.h"

namespace weir {

struct MergerOptions {
  CountBy by = CountBy::kIp;
  uint32_t shards = 1;
  size_t rows = 1'000'000;        // of one report; what exceeds it goes to `other`
  size_t total_rows = 1'000'000;  // of the totals; 0: they are not kept
};

struct CountersReport {
  explicit CountersReport(const MergerOptions& options)
      : by(options.by), addresses(options.rows), flows(options.rows), shards(options.shards) {}

  CountBy by;
  int64_t first_epoch = 0;  // intervals that it covers, see Snapshot
  int64_t last_epoch = 0;
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  bool complete = true;  // exactly one whole interval, of every shard
  bool last = false;     // every shard has ended

  AddressTable addresses;  // CountBy::kIp
  FlowRowTable flows;      // CountBy::kFlow
  // Of the interval, by the ledgers.
  uint64_t tracked_packets = 0;
  uint64_t tracked_bytes = 0;
  // Totals since each shard's start, at the end of its part; ShardCounters::shards is 0 for a shard
  // that is not in this report.
  std::vector<ShardCounters> shards;

  // The ledgers and the rows say the same: false is a bug of ours.
  bool Balanced() const;
};

class CountersMerger {
 public:
  explicit CountersMerger(const MergerOptions& options);

  void Add(const Snapshot& snapshot);

  // No shard brings any more, whatever they said: all reports are finished.
  void EndShards();

  // The oldest report that is finished; null: none.
  std::unique_ptr<CountersReport> Take();

  // All that were taken so far.
  const AddressTable& address_totals() const { return address_totals_; }
  const FlowRowTable& flow_totals() const { return flow_totals_; }

 private:
  using Reports = std::deque<std::unique_ptr<CountersReport>>;

  CountersReport& ReportOf(const Snapshot& snapshot);
  bool Finished(const CountersReport& report) const;

  struct Progress {
    bool heard = false;
    bool ended = false;
    int64_t last_epoch = 0;
  };

  MergerOptions options_;
  std::vector<Progress> progress_;  // by shard
  Reports open_;                    // by time; no two overlap
  AddressTable address_totals_;
  FlowRowTable flow_totals_;
};

}  // namespace weir

// What a person wants to know at the end: how much, how fast, who with whom, where every frame
// went, and what to do about what went wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/shard_report.h"
#include "tools/weir/run_sample.h"
#include "tools/weir/traffic_tally.h"

namespace weir {

// What --streams wrote.
struct WrittenStreams {
  std::string folder;  // empty: was not asked for
  uint64_t files = 0;
  uint64_t bytes = 0;

  void Add(const WrittenStreams& other);
};

struct ReportInput {
  std::string source;  // interface or file, as it was given
  bool live = false;
  int64_t dedup_window_ns = 0;  // what was asked for; 0 = no limit
  RunSample last;
  WrittenStreams streams;
  std::vector<ShardReport> shards;  // told of where there are several, or one has failed
};

// "shard 2 (eth1) has failed: disk full; 1,234 packets of its share were lost". Of one that goes on
// with one leg: "shard 2 (eth0+eth1) goes on without: ..."
std::string ShardFailure(const ShardReport& report);

std::string Report(const ReportInput& input, const TrafficTally& tally);

// One line each: what was lost or cut short, and which option mends it. Empty when all is well.
std::string Hints(const ReportInput& input);

}  // namespace weir

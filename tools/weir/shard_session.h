// What the command does with what one shard tells: outputs, tallies, and what a screen shows.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/shard_consumer.h"
#include "rings/capture_file_source.h"
#include "tools/weir/busy_flows.h"
#include "tools/weir/counters_output.h"
#include "tools/weir/options.h"
#include "tools/weir/outputs.h"
#include "tools/weir/report.h"
#include "tools/weir/traffic_tally.h"

namespace weir {

// What all shards of a run share.
struct RunContext {
  const CommandOptions& options;
  Outputs& outputs;
  CountersOutput* counters = nullptr;       // to be collected after each batch
  bool tally = false;                       // a report will be written
  int64_t screen_ns = 0;                    // how often a screen wants news; 0: there is none
  bool busy_flows = false;                  // and it shows them
  const CaptureFileSource* file = nullptr;  // a file's progress, on its shard's thread
};

// For a screen: copied by whoever draws it.
struct ShardScene {
  static constexpr size_t kBusyFlows = 20;
  static constexpr uint32_t kMostFlowsToRank = 200'000;

  std::vector<BusyFlow> busy;
  bool too_many = false;  // flows alive to be ranked
  uint64_t bytes_read = 0;
  uint64_t bytes_total = 0;  // 0: not known

  void Add(const ShardScene& other);
};

class ShardSession final : public ShardConsumer {
 public:
  // `context` must outlive this object.
  ShardSession(const RunContext& context, const ShardPlace& place)
      : context_(context), place_(place) {}

  absl::Status OnStart(Shard& shard) override;

  absl::Status OnBatch(Shard& shard, std::span<const Event> events) override;
  absl::Status OnIdle(Shard& shard) override;
  absl::Status OnEnd(Shard& shard, const absl::Status& why) override;

  ShardScene Scene();  // any thread

  // After the shard's thread has ended.
  const TrafficTally& tally() const { return tally_; }
  const WrittenStreams& streams() const { return streams_; }

 private:
  absl::Status OpenOutputs(int64_t now_ns);
  void ShowIfDue(Shard& shard);

  const RunContext& context_;
  ShardPlace place_;
  std::unique_ptr<ShardOutputs> outputs_;
  TrafficTally tally_;
  WrittenStreams streams_;
  int64_t next_scene_ns_ = 0;
  std::mutex mutex_;
  ShardScene scene_;  // guarded by mutex_
};

// Packet time; before the first frame the clock's.
int64_t TimeOf(const Shard& shard);

}  // namespace weir

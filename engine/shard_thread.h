// One shard of an Engine on its thread: polls, hands over, shows its counters, ends. Internal to
// engine/.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/engine_options.h"
#include "engine/shard.h"
#include "engine/shard_consumer.h"
#include "engine/shard_report.h"
#include "engine/split_check.h"
#include "rings/latest_value.h"
#include "rings/waiter.h"

namespace weir {

class ShardThread {
 public:
  struct Parts {
    ShardPlace place;
    std::vector<int> cpus;
    int64_t publish_ns = 0;
    int64_t stall_ns = 0;
    std::unique_ptr<Shard> shard;
    std::unique_ptr<ShardConsumer> consumer;
    std::shared_ptr<SplitCheck> split_check;  // null: there is no other shard
    std::function<void()> on_ended;  // on the shard's thread, once: it is done or has failed
  };
  static absl::StatusOr<std::unique_ptr<ShardThread>> Create(Parts parts);
  ~ShardThread();

  absl::Status Start();
  void Stop();  // async-signal-safe
  void Join();  // after Stop, or when it has ended by itself
  // All changes so far. One thread at a time; the shard's takes it over within publish_ns.
  void Change(const EngineChange& change);
  ShardReport Report();  // any thread
  Shard& shard() { return *parts_.shard; }

 private:
  struct Shown {
    ShardState state = ShardState::kReady;
    int64_t clock_ns = 0;     // CLOCK_MONOTONIC
    int64_t realtime_ns = 0;  // CLOCK_REALTIME
    int64_t cpu_ns = 0;
    ShardCounters counters;
    SplitCounters split;
    std::optional<DelayHistogram> delays;
  };

  explicit ShardThread(Parts parts) : parts_(std::move(parts)) {}
  void Run();
  absl::Status Loop();
  void ApplyChange();
  void Show(ShardState state);
  void StayUntilStop();

  Parts parts_;
  std::unique_ptr<Waiter> stop_;       // for a shard that has failed and stays
  LatestValue<EngineChange> changes_;  // to the shard's thread
  LatestValue<Shown> shown_;           // from it; Update and front: guarded by mutex_
  int64_t next_show_ns_ = 0;
  SplitCounters split_;
  std::mutex mutex_;
  absl::Status status_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace weir

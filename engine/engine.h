// Many shards, each on a thread of its own, one consumer each; nothing is shared between them.
//
//   EngineOptions options;
//   options.interfaces.push_back({.legs = {{.interface = "eth0"}}});
//   auto engine = Engine::Create(std::move(options), [](const ShardPlace&) { return ...; });
//   (*engine)->Start();               // here privileges can be dropped: everything is open
//   ...                               // any thread: Reports(), Reconfigure(); signal handler:
//   Stop() absl::Status status = (*engine)->Join();
//
// A shard that fails (its source, or its consumer) does so alone. Its sockets stay in their fanout
// group until the engine is destroyed: what the kernel steers to them is lost, and counted in the
// shard's SourceCounters::ring_dropped. To close them would spread those flows over the others, and
// most flows of the others with them, cut in two. A leg of a TAP that fails leaves its shard
// running on the other leg; ShardReport::status says so.
//
// Thread: one at a time calls Create, Start, Join and the destructor; the rest is said below.
// Memory: all of it is taken in Create, that of a shard on the NUMA node where it will run.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/engine_options.h"
#include "engine/shard_consumer.h"
#include "engine/shard_report.h"
#include "engine/stats/shard_counters.h"
#include "rings/kernel_filter.h"

namespace weir {

class ShardThread;
struct ShardPlan;

class Engine {
 public:
  // Opens every source and makes every shard and consumer. Errors say what cannot be had.
  static absl::StatusOr<std::unique_ptr<Engine>> Create(EngineOptions options,
                                                        const ConsumerFactory& consumers);
  ~Engine();  // Stop, Join
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // What differs from what was asked for, for people.
  const std::vector<std::string>& notes() const { return notes_; }
  // How the kernel distributes the frames of EngineOptions::interfaces[i].
  const std::vector<FanoutMode>& fanout_modes() const { return modes_; }
  // How EngineOptions::interfaces[i] is received now, and why not otherwise. Any thread.
  std::vector<BackendChoice> backends() const;

  // Starts the threads. Once. An error leaves an engine that can only be destroyed.
  absl::Status Start();

  // No more frames; what came in before is still handed out, then the shards end. Any thread,
  // async-signal-safe, any number of times.
  void Stop();

  // Until every shard is done or has failed, or the time has passed: true in the first case. Any
  // thread.
  bool WaitFor(int64_t timeout_ns);

  // WaitFor without a limit, then ends the threads. OK, or why the first shard that failed did.
  absl::Status Join();

  // Each shard takes the change over before one of its next batches, within publish_ns. A change
  // that a shard has not taken yet is merged with this one. Rules in the kernel change before this
  // returns; on error all stays as it was. Any thread.
  absl::Status Reconfigure(const EngineChange& change);

  int shards() const { return static_cast<int>(threads_.size()); }

  // Any thread, between Create and the destructor.
  ShardReport Report(int shard) const;
  std::vector<ShardReport> Reports() const;
  // The sum over the shards.
  ShardCounters Counters() const;

  // Before Start, and after Join; while it runs only what the shard's header allows from other
  // threads.
  Shard& shard(int shard);

 private:
  using KernelFilters = std::vector<std::shared_ptr<KernelFilter>>;

  Engine();
  absl::Status Make(EngineOptions options, const ConsumerFactory& consumers);
  absl::Status AddFilters(ShardPlan& part);
  std::vector<std::shared_ptr<PacketFilter>> FiltersFor(size_t shard) const;
  absl::Status UseInKernel(const std::shared_ptr<const FilterRules>& rules);
  void NoteEnded();
  absl::Status FirstFailure() const;

  std::vector<std::string> notes_;
  std::vector<FanoutMode> modes_;
  std::vector<BackendChoice> backends_;           // of each interface, at the start
  std::vector<KernelFilters> interface_filters_;  // of each interface's legs
  std::vector<int> interfaces_;                   // of each shard, into backends_; -1: none
  std::mutex mutex_;
  std::condition_variable ended_changed_;
  size_t ended_ = 0;     // threads; guarded by mutex_
  size_t started_ = 0;   // threads; guarded by mutex_
  std::mutex changing_;  // guards all below but the threads
  std::shared_ptr<const FilterRules> rules_;
  std::vector<std::shared_ptr<PacketFilter>> filters_;      // beside the rules
  std::optional<int64_t> publish_ns_;                       // where it was changed
  std::vector<KernelFilters> kernel_filters_;               // of each shard
  std::vector<std::shared_ptr<PacketFilter>> expressions_;  // of each shard; null: it has none
  std::vector<std::unique_ptr<ShardThread>> threads_;
};

}  // namespace weir

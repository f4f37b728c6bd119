// Who takes what one shard of an Engine tells.
//
// Thread: everything is called on the shard's thread, so a consumer needs no locks for what is its
// own. An error that a call returns ends this shard (ShardState::kFailed) and no other.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "engine/flow/event.h"

namespace weir {

class Shard;

class ShardConsumer {
 public:
  virtual ~ShardConsumer() = default;

  // Once, before the first batch.
  virtual absl::Status OnStart(Shard&) { return absl::OkStatus(); }

  // After each batch. Events live until this returns; there may be none.
  virtual absl::Status OnBatch(Shard& shard, std::span<const Event> events) = 0;

  // Nothing came: time to flush. At least every EngineOptions::publish_ns while nothing comes.
  virtual absl::Status OnIdle(Shard&) { return absl::OkStatus(); }

  // Once, at the end. `why`: OK when the sources have ended or the engine was stopped, and every
  // flow has been reported; else what failed, in the shard or in this consumer.
  virtual absl::Status OnEnd(Shard&, const absl::Status& why) { return why; }
};

// Which shard a consumer is for.
struct ShardPlace {
  int shard = 0;     // 0, 1...
  int shards = 1;    // how many there are
  std::string name;  // interfaces: "eth0", "eth0+eth1"; else what the first source is called
};

// Makes the consumer of each shard. Called by Engine::Create. Null: Create fails.
using ConsumerFactory = std::function<std::unique_ptr<ShardConsumer>(const ShardPlace& place)>;

}  // namespace weir

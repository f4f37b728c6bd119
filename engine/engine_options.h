// What an Engine is made of: what it reads, on how many threads, and where these run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/packet/packet_filter.h"
#include "engine/shard.h"
#include "engine/shard_consumer.h"
#include "rings/filter_rules.h"
#include "rings/frame_source.h"
#include "rings/packet_fanout.h"
#include "rings/packet_source.h"

namespace weir {

// A network interface whose frames are distributed among EngineOptions::shards shards: every frame
// goes to one of them. More than one shard means a fanout group, or receive queues of their own
// (AF_XDP).
struct EngineInterface {
  // One interface; or the two legs of a TAP, each of which carries one direction: member i of both
  // groups goes to the same shard, which merges them by time stamp.
  std::vector<PacketSourceOptions> legs;
  FanoutOptions fanout{.mode = FanoutMode::kEbpf};  // AF_PACKET
  BackendOptions backend;
  // AF_PACKET: an interface that is removed does not end its shards; they go on when one of its
  // name is there again. That takes CAP_NET_RAW then, too.
  bool reopen = false;
};

using ShardSources = std::vector<std::unique_ptr<FrameSource>>;

struct EngineOptions {
  std::vector<EngineInterface> interfaces;
  // Which frames are wanted, of every interface and of every other source: in the kernel where it
  // can be (notes() say where), else in the shard. Null: all, and no EngineChange::rules later.
  // Legs have none of their own.
  std::shared_ptr<const FilterRules> rules;
  // Of each interface. 0: as many as it has receive queues, at most as many as there are processors
  // for it. AF_XDP: one, where queues of their own would cut flows.
  int shards = 0;

  // Beside, or instead of, interfaces: files, memory. Each entry is one more shard. No packet
  // sources: several of one interface would each see every frame.
  std::vector<ShardSources> sources;

  // Shard i is pinned to cpus[i], and so on round. Empty: shards of an interface run on the
  // processors of its NUMA node, one on each where there are several shards; others run anywhere.
  std::vector<int> cpus;

  // For every shard. `live` is set for those of interfaces, and where several share one the kinds
  // of event that SplitCheck looks at, too. Filters are shared by all shards, each
  // of which calls them on its own thread.
  ShardOptions shard;
  // Fits them to one shard of several: its share of a limit. Null: all have the same.
  std::function<void(ShardOptions&, const ShardPlace&)> fit;

  // Stands before each source: to limit it, to watch it. Null: nothing does.
  std::function<std::unique_ptr<FrameSource>(std::unique_ptr<FrameSource>)> wrap;

  int64_t publish_ns = 100'000'000;  // a shard shows its counters this often
  int64_t stall_ns = 2'000'000'000;  // one that showed nothing for so long is kStalled
};

// What can be changed while shards run: Engine::Reconfigure. No value: stays as it is. Everything
// else is fixed, since memory, sockets and privileges are taken at the start.
struct EngineChange {
  // Instead of EngineOptions::rules, which were not null; not null. Each frame is judged by the old
  // rules or by the new ones, and none is lost.
  std::shared_ptr<const FilterRules> rules;
  std::optional<std::vector<std::shared_ptr<PacketFilter>>> filters;  // instead of all of before
  std::optional<int64_t> publish_ns;
};

}  // namespace weir

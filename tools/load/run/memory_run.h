// Traffic from memory straight into shards: the engine without the kernel. Each shard has a ring of
// TPACKET_V3 blocks, or a UMEM as AF_XDP has it, which is filled outside the time that counts, just
// before it is read.
//
// Several shards: flow n goes to shard n modulo their number, as a fanout group would keep flows
// whole. Memory: the truth of all flows, once per shard.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/shard.h"
#include "tools/load/run/run_result.h"
#include "tools/load/traffic/profile.h"

namespace weir::load {

struct MemoryRunOptions {
  TrafficProfile profile;
  ShardOptions shard;  // the kinds of event are chosen by the run
  int shards = 1;
  std::vector<int> cpus;      // shard i runs on cpus[i]; empty: anywhere
  uint32_t ring_blocks = 32;  // of 256 KiB: 8 MiB, which the L3 cache holds. 1,024: cold memory
  // 2048 or 4096: the same bytes as a UMEM, in chunks of so many bytes. 0: blocks
  uint32_t umem_chunk_bytes = 0;
  bool verify = true;    // false: nobody looks at what is delivered, so that only the engine costs
  uint64_t warm_up = 0;  // frames before time is taken
  RunHooks hooks;
};

absl::StatusOr<RunResult> RunInMemory(const MemoryRunOptions& options);

}  // namespace weir::load

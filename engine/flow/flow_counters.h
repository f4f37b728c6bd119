// What a flow tracker counts. Plain sums, so those of shards and machines add up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/flow/record.h"

namespace weir {

struct FlowCounters {
  uint64_t started = 0;
  uint64_t established = 0;
  std::array<uint64_t, static_cast<size_t>(FlowEnd::kCount)>
      ended{};                 // by reason; kActive: interim records
  uint64_t ended_packets = 0;  // packets and bytes of all flows that ended
  uint64_t ended_bytes = 0;
  uint64_t resets_ignored = 0;  // RST outside any window (RFC 5961)
  uint64_t resets_doubted = 0;  // RST near, but not at, the expected number
  uint64_t ports_reused = 0;    // flows ended by a SYN of a new connection
};

}  // namespace weir

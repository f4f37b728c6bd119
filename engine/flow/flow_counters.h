// What a flow tracker counts. Plain sums, so those of shards and machines add up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/flow/record.h"

namespace weir {

// What a flow was that had to go because the table was full.
enum class Evicted : uint8_t {
  kHalfOpen,    // TCP without a finished handshake
  kUnanswered,  // one side was heard
  kFinished,    // TCP, closed or reset, that lingered for late packets
  kAnswered,    // any other: the table is too small
  kCount,
};
inline constexpr size_t kEvictedKinds = static_cast<size_t>(Evicted::kCount);
std::string_view Name(Evicted kind);  // "half_open", ...

struct FlowCounters {
  uint64_t started = 0;
  uint64_t established = 0;
  std::array<uint64_t, static_cast<size_t>(FlowEnd::kCount)>
      ended{};  // by reason; kActive: interim records
  // Flows that had to go because the table was full. In `ended` those that were finished count as
  // fin or rst.
  std::array<uint64_t, kEvictedKinds> evicted{};
  uint64_t ended_packets = 0;  // packets and bytes of all flows that ended
  uint64_t ended_bytes = 0;
  uint64_t resets_ignored = 0;  // RST outside any window (RFC 5961)
  uint64_t resets_doubted = 0;  // RST near, but not at, the expected number
  uint64_t ports_reused = 0;    // flows ended by a SYN of a new connection
};

}  // namespace weir

// Whether a shard lives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

enum class ShardState : uint8_t {
  kReady,    // not started
  kRunning,  // also while the wire is silent
  kStalled,  // has shown no sign of life for a while: its consumer blocks, or the thread gets no
             // processor
  kFailed,   // its share of the frames is lost; the other shards go on
  kDone,     // the sources have ended, or it was stopped; all flows were reported
};
inline constexpr size_t kShardStates = 5;

inline std::string_view Name(ShardState state) {
  constexpr std::string_view kNames[] = {"ready", "running", "stalled", "failed", "done"};
  return kNames[static_cast<size_t>(state)];
}

}  // namespace weir

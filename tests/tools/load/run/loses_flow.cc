// An engine that forgets to report one flow.
#include <cstdint>
#include <span>
#include <vector>

#include "engine/shard.h"

namespace weir {

std::span<const Event> SoundPoll(Shard* shard) asm("__real__ZN4weir5Shard4PollEv");
std::span<const Event> Poll(Shard* shard) asm("__wrap__ZN4weir5Shard4PollEv");

std::span<const Event> Poll(Shard* shard) {
  constexpr uint64_t kForgotten = 100;
  static uint64_t ended = 0;
  static std::vector<Event> events;
  const std::span<const Event> sound = SoundPoll(shard);
  events.clear();
  for (const Event& event : sound) {
    if (event.kind != EventKind::kFlowEnded || ++ended != kForgotten) events.push_back(event);
  }
  return events;
}

}  // namespace weir

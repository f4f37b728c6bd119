// An engine that delivers one byte of a stream wrong.
#include <cstdint>
#include <span>
#include <vector>

#include "engine/shard.h"

namespace weir {

std::span<const Event> SoundPoll(Shard* shard) asm("__real__ZN4weir5Shard4PollEv");
std::span<const Event> Poll(Shard* shard) asm("__wrap__ZN4weir5Shard4PollEv");

std::span<const Event> Poll(Shard* shard) {
  constexpr uint64_t kSpoiled = 9'000;
  static uint64_t delivered = 0;
  static std::vector<Event> events;
  static std::vector<uint8_t> bytes;
  const std::span<const Event> sound = SoundPoll(shard);
  events.assign(sound.begin(), sound.end());
  for (Event& event : events) {
    if (event.kind != EventKind::kStreamData || ++delivered != kSpoiled) continue;
    bytes.assign(event.data, event.data + event.size);
    bytes[event.size / 2] ^= 1;
    event.data = bytes.data();
  }
  return events;
}

}  // namespace weir

#include "engine/flow/flow_timers.h"

#include <algorithm>

namespace weir {

size_t FlowTimers::MemoryBytes(uint32_t slots) { return Arena::Bytes<Link>(slots + kBuckets); }

FlowTimers::FlowTimers(uint32_t slots, Arena& arena)
    : slots_(slots), links_(arena.Take<Link>(slots + kBuckets)) {
  for (uint32_t head = slots_; head < slots_ + kBuckets; ++head) links_[head] = {head, head};
}

void FlowTimers::Arm(uint32_t slot, int64_t now_ns, int64_t deadline_ns) {
  // Rounded up: when the bucket fires, the deadline has passed.
  int64_t tick = (deadline_ns >> kTickShift) + 1;
  if (armed_ == 0) tick_ = now_ns >> kTickShift;
  tick = std::clamp(tick, tick_, tick_ + static_cast<int64_t>(kBuckets) - 1);
  const uint32_t head = slots_ + static_cast<uint32_t>(static_cast<uint64_t>(tick) % kBuckets);
  const uint32_t last = links_[head].previous;
  links_[slot] = {head, last};
  links_[last].next = slot;
  links_[head].previous = slot;
  ++armed_;
}

void FlowTimers::Disarm(uint32_t slot) {
  const Link link = links_[slot];
  links_[link.previous].next = link.next;
  links_[link.next].previous = link.previous;
  --armed_;
}

uint32_t FlowTimers::PopDue(int64_t now_ns) {
  const int64_t now_tick = now_ns >> kTickShift;
  // After a leap over the whole wheel every bucket is due, each once.
  tick_ = std::max(tick_, now_tick - static_cast<int64_t>(kBuckets) + 1);
  for (; armed_ != 0 && tick_ <= now_tick; ++tick_) {
    const uint32_t head = slots_ + static_cast<uint32_t>(static_cast<uint64_t>(tick_) % kBuckets);
    const uint32_t slot = links_[head].next;
    if (slot != head) {
      Disarm(slot);
      return slot;
    }
  }
  return UINT32_MAX;
}

FlowTimers::Ahead FlowTimers::PeekDue() const {
  const uint32_t head = slots_ + static_cast<uint32_t>(static_cast<uint64_t>(tick_) % kBuckets);
  const uint32_t next = links_[head].next;
  if (next == head) return {UINT32_MAX, UINT32_MAX};
  const uint32_t after = links_[next].next;
  if (after == head) return {next, UINT32_MAX};
  PrefetchToWrite(&links_[after]);
  return {next, after};
}

int64_t FlowTimers::NextDue() const {
  if (armed_ == 0) return INT64_MAX;
  for (int64_t tick = tick_; tick < tick_ + static_cast<int64_t>(kBuckets); ++tick) {
    if (!Empty(static_cast<uint32_t>(static_cast<uint64_t>(tick) % kBuckets)))
      return tick << kTickShift;
  }
  return INT64_MAX;
}

}  // namespace weir

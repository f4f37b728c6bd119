// When to look at which flow again: one wheel of buckets, linked by slot number.
//
// Lazy: a packet does not move its flow. When a bucket fires, the owner looks at each flow's real
// deadline and arms it again or ends it, so each firing costs what is in the bucket, never the
// table. A deadline beyond the wheel's horizon waits in its last bucket.
//
// Thread: one. Memory: the arena's. Time: the flow clock, nanoseconds.
#pragma once

#include <cstdint>

#include "engine/packet/arena.h"
#include "rings/prefetch.h"

namespace weir {

class FlowTimers {
 public:
  static constexpr int kTickShift = 26;       // 67 ms
  static constexpr uint32_t kBuckets = 8192;  // horizon 550 s

  static size_t MemoryBytes(uint32_t slots);
  FlowTimers(uint32_t slots, Arena& arena);

  // The slot must not be armed. A deadline that has passed fires at the next PopDue.
  void Arm(uint32_t slot, int64_t now_ns, int64_t deadline_ns);
  // The slot must be armed.
  void Disarm(uint32_t slot);

  // What Disarm touches: first the slot's own link, some packets later its neighbours'.
  void Prefetch(uint32_t slot) const { PrefetchToWrite(&links_[slot]); }
  void PrefetchNeighbours(uint32_t slot) const {
    PrefetchToWrite(&links_[links_[slot].previous]);
    PrefetchToWrite(&links_[links_[slot].next]);
  }

  // Takes one slot whose bucket is due at `now_ns`, disarmed; kNoSlot (UINT32_MAX) when there is
  // none.
  uint32_t PopDue(int64_t now_ns);

  // The slots that PopDue would give next, one and two from now, for who wants their memory early;
  // kNoSlot where that is not known. Asks for the second one's link.
  struct Ahead {
    uint32_t next;
    uint32_t after;
  };
  Ahead PeekDue() const;

  // Earliest time at which PopDue may have something; INT64_MAX when nothing is armed.
  int64_t NextDue() const;

 private:
  struct Link {
    uint32_t next;
    uint32_t previous;
  };

  bool Empty(uint32_t bucket) const { return links_[slots_ + bucket].next == slots_ + bucket; }

  uint32_t slots_;
  uint32_t armed_ = 0;
  int64_t tick_ = 0;  // every bucket before this tick is empty
  Link* links_;       // slots, then one list head per bucket
};

}  // namespace weir

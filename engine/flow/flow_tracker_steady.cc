// Batches of which nothing is asked but records.

#include "engine/flow/flow_steady.h"

namespace weir {

// A batch of which nothing is asked but records: no streams, no events of packets, no intervals.
void FlowTracker::TrackPlain(std::span<const Frame> frames, std::span<Packet> packets,
                             EventBuffer& events) {
  FlowTable table = *table_;  // its arrays only: the slow path changes what else is in it
  const SteadyRules rules = RulesOfSteady();
  FlowClock::Pace pace = clock_.pace();
  const PreparedKey* key = batch_->keys.data();
  const uint32_t* guess = batch_->guesses.data();
  for (Packet& packet : packets) {
    const bool follows = clock_.Follow(pace, packet.timestamp_ns);
    if (!follows || *guess == kNoSlot ||
        !TrackSteady(rules, table, *guess, packet, *key, pace.now_ns)) [[unlikely]] {
      const int64_t time = follows ? pace.now_ns : clock_.Observe(packet.timestamp_ns);
      const Frame& frame = frames[static_cast<size_t>(&packet - packets.data())];
      TrackOne(frame, packet, *key, *guess, time, events);
      pace = clock_.pace();
    }
    ++key;
    ++guess;
  }
}

// Stands apart: the loops around plain segments keep their registers.
[[gnu::noinline]] bool FlowTracker::TrackOtherSteady(uint32_t slot, const Packet& packet,
                                                     const PreparedKey& key, int64_t now_ns) {
  return TrackSteadyAs<false>(RulesOfSteady(), *table_, slot, packet, key, now_ns);
}

}  // namespace weir

// An engine that loses one frame in a million between its decoder and its tables, and counts it
// nowhere.
#include <cstdint>
#include <span>

#include "engine/flow/flow_tracker.h"
#include "engine/stats/tally.h"

namespace weir {

#define WEIR_TRACK                                                \
  "_ZN4weir11FlowTracker5TrackESt4spanIKNS_5FrameELm184467440737" \
  "09551615EES1_INS_6PacketELm18446744073709551615EERNS_11EventBufferE"
#define WEIR_TALLY "_ZN4weir5TallyESt4spanIKNS_6PacketELm18446744073709551615EERNS_6LedgerE"

using Frames = std::span<const Frame>;
void SoundTrack(FlowTracker* tracker, Frames frames, std::span<Packet> packets,
                EventBuffer& events) asm("__real_" WEIR_TRACK);
void Track(FlowTracker* tracker, Frames frames, std::span<Packet> packets,
           EventBuffer& events) asm("__wrap_" WEIR_TRACK);
void SoundTally(std::span<const Packet> packets, Ledger& ledger) asm("__real_" WEIR_TALLY);
void TallyBut(std::span<const Packet> packets, Ledger& ledger) asm("__wrap_" WEIR_TALLY);

namespace {

constexpr uint64_t kPeriod = 1'000'000, kFirst = 700'000;
uint64_t seen = 0;
bool loses = false;  // the last one of this batch

}  // namespace

void Track(FlowTracker* tracker, Frames frames, std::span<Packet> packets, EventBuffer& events) {
  const uint64_t before = (seen + kPeriod - kFirst) / kPeriod;
  seen += frames.size();
  loses = (seen + kPeriod - kFirst) / kPeriod != before;
  const size_t count = frames.size() - (loses ? 1 : 0);
  SoundTrack(tracker, frames.first(count), packets.first(count), events);
}

void TallyBut(std::span<const Packet> packets, Ledger& ledger) {
  SoundTally(packets.first(packets.size() - (loses ? 1 : 0)), ledger);
}

}  // namespace weir

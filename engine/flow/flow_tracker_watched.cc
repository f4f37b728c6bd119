// Batches that are watched: by streams, by events of packets, by interval deltas.

#include "engine/flow/flow_steady.h"
#include "engine/flow/flow_streams.h"
#include "rings/prefetch.h"

namespace weir {
namespace {

constexpr size_t kDeltasAhead = 24;   // packets from an interval entry's request to its writing
constexpr size_t kStreamsAhead = 16;  // packets from a stream line's request to its reading,
constexpr size_t kEarlyAhead = 6;     // and from that of what an early segment needs

}  // namespace

void FlowTracker::CountDelta(uint32_t slot, FlowHot& hot, const Packet& packet, int side) {
  FlowDelta* const delta = deltas_->Find(hot.delta, slot, hot.generation);
  if (delta == nullptr) [[unlikely]] {
    StartDelta(slot, hot, packet, side);
    return;
  }
  delta->packets[side] += 1 + packet.held_packets;
  delta->bytes[side] += uint64_t{packet.wire_length} + packet.held_bytes;
  delta->initiator = hot.flags & flow_flag::kInitiatorIsB;
}

inline void FlowTracker::PrefetchDelta(size_t i) const {
  static_assert(kDeltasAhead <= Batch::kMostAhead);
  const uint32_t slot = batch_->guesses[i];
  if (slot != kNoSlot) deltas_->Prefetch(table_->hot(slot).delta);
}

inline void FlowTracker::PrefetchStream(const FlowTable& table, size_t i) const {
  static_assert(kStreamsAhead <= Batch::kMostAhead);
  const uint32_t slot = batch_->guesses[i];
  if (slot == kNoSlot) return;
  const FlowHot& hot = table.hot(slot);
  streams_->Prefetch(hot, batch_->keys[i].side);
  if (hot.phase > Phase::kTcpEstablished) [[unlikely]]
    timers_->Prefetch(slot);
}

// What packet `i` needs when it is early, or the first of its kind; its stream's line is there.
inline void FlowTracker::PrefetchEarly(const FlowTable& table, size_t i,
                                       std::span<const Packet> packets) const {
  static_assert(kEarlyAhead <= Batch::kMostAhead);
  const uint32_t slot = batch_->guesses[i];
  if (slot == kNoSlot) return;
  const FlowHot& hot = table.hot(slot);
  const Packet& packet = packets[i];
  const int side = batch_->keys[i].side;
  streams_->PrefetchEarly(hot, packet, side);
  if (hot.phase > Phase::kTcpEstablished) [[unlikely]]
    timers_->PrefetchNeighbours(slot);
  const uint8_t letter = packet.payload_wire_length != 0 ? history_bit::kData : history_bit::kAck;
  if ((letter & ~hot.letters[side]) != 0 && hot.protocol == ip_protocol::kTcp) [[unlikely]]
    PrefetchToWrite(&table_->cold(slot));  // it goes into the history
}

void FlowTracker::TrackWatched(std::span<const Frame> frames, std::span<Packet> packets,
                               EventBuffer& events) {
  if (streams_ == nullptr) {
    TrackWatchedAs<false, true>(frames, packets, events);
  } else if (deltas_ == nullptr) {
    TrackWatchedAs<true, false>(frames, packets, events);
  } else {
    TrackWatchedAs<true, true>(frames, packets, events);
  }
}

// kCounted: there may be deltas.
template <bool kStreams, bool kCounted>
void FlowTracker::TrackWatchedAs(std::span<const Frame> frames, std::span<Packet> packets,
                                 EventBuffer& events) {
  const Batch& batch = *batch_;
  FlowTable table = *table_;  // its arrays only: the slow path changes what else is in it
  FlowStreams* const streams = streams_.get();
  if (kStreams) streams->Attach(&events);
  const bool counted = kCounted && deltas_ != nullptr;
  const bool wants_packets = (events.mask() & kPacketEvents) != 0;
  const bool steady = intervals_ == nullptr;
  const SteadyRules rules = RulesOfSteady();
  FlowClock::Pace pace = clock_.pace();
  const size_t size = packets.size();
  for (size_t i = 0; kStreams && i < std::min(kStreamsAhead, size); ++i) PrefetchStream(table, i);
  for (size_t i = 0; counted && i < std::min(kDeltasAhead, size); ++i) PrefetchDelta(i);
  for (size_t i = 0; i < size; ++i) {
    if (counted) PrefetchDelta(i + kDeltasAhead);
    if (kStreams) {
      PrefetchStream(table, i + kStreamsAhead);
      PrefetchEarly(table, i + kEarlyAhead, packets);
    }
    const PreparedKey& key = batch.keys[i];
    const uint32_t slot = batch.guesses[i];
    Packet& packet = packets[i];
    const bool follows = clock_.Follow(pace, packet.timestamp_ns);
    if (follows && steady && slot != kNoSlot &&
        TrackSteady(rules, table, slot, packet, key, pace.now_ns)) [[likely]] {
      FlowHot& hot = table.hot(slot);
      if (counted) CountDelta(slot, hot, packet, key.side);
      if (wants_packets) Report(frames[i], packet, slot, key.side, events);
      if (kStreams && key.protocol == ip_protocol::kTcp)
        streams->TakePlain(slot, hot, packet, key.side, pace.now_ns);
    } else {
      const int64_t time = follows ? pace.now_ns : clock_.Observe(packet.timestamp_ns);
      TrackOne(frames[i], packet, key, slot, time, events);
      pace = clock_.pace();
    }
  }
}

}  // namespace weir

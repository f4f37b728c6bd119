// Counting packets into an interval's tables.

#include <cstring>

#include "engine/flow/flow_batch.h"

namespace weir {

void FlowTracker::CountInto(IntervalDeltas* deltas) { deltas_ = deltas; }

// The flow has no entry yet, or finds no room for one.
void FlowTracker::StartDelta(uint32_t slot, FlowHot& hot, const Packet& packet, int side) {
  const uint32_t packets = 1 + packet.held_packets;
  const uint64_t bytes = uint64_t{packet.wire_length} + packet.held_bytes;
  uint32_t place;
  FlowDelta* const delta = deltas_->Append(&place);
  if (delta == nullptr) {
    if (deltas_->by() == CountBy::kFlow) {
      deltas_->CountOther(side ^ (hot.flags & flow_flag::kInitiatorIsB), packets, bytes);
    } else {
      batch_->unlisted[batch_->unlisted_count++] = &packet;
    }
    return;
  }
  hot.delta = place;
  delta->key = hot.key;
  delta->protocol = hot.protocol;
  delta->family = hot.family;
  delta->initiator = hot.flags & flow_flag::kInitiatorIsB;
  delta->slot = slot;
  delta->generation = hot.generation;
  delta->packets[side] = packets;
  delta->bytes[side] = bytes;
  if (hot.family != AddressFamily::kIpv4) deltas_->addresses(place) = table_->addresses(slot);
  if (hot.key.tunnel != 0 && deltas_->by() == CountBy::kFlow)
    tunnels_->PathOf(hot.key.tunnel, deltas_->tunnel(place));
}

// The addresses of packets whose flows found no room, once the lines of all of them are asked for.
void FlowTracker::CountUnlisted() {
  const std::span unlisted(batch_->unlisted.data(), batch_->unlisted_count);
  batch_->unlisted_count = 0;
  for (const Packet* packet : unlisted) {
    deltas_->PrefetchAddress(packet->family, packet->source);
    deltas_->PrefetchAddress(packet->family, packet->destination);
  }
  for (const Packet* packet : unlisted) {
    deltas_->CountAddresses(packet->family, packet->source, packet->destination,
                            1 + packet->held_packets,
                            uint64_t{packet->wire_length} + packet->held_bytes);
  }
}

}  // namespace weir

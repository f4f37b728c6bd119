#include "tools/load/verdict/flow_observer.h"

#include <cstring>

#include "engine/packet/packet.h"
#include "rings/clock.h"
#include "tools/load/traffic/payload.h"

namespace weir::load {
namespace {

bool SentByInitiator(const TrafficProfile& profile, uint32_t number, const FlowKey& key) {
  const FlowIdentity identity = IdentityOf(profile, number);
  const size_t size = identity.ipv6 ? 16 : 4;
  return std::memcmp(key.source.data(), identity.addresses[0], size) == 0;
}

}  // namespace

uint32_t FlowObserver::Events(const TrafficProfile& profile, bool compare) {
  if (!compare) return event_mask::kRecords | event_mask::kStreams;
  const bool datagrams = profile.udp > 0 || profile.icmp > 0 || profile.collision_flood > 0;
  uint32_t events = event_mask::Of(EventKind::kFlowStarted) |
                    event_mask::Of(EventKind::kFlowFlipped) | event_mask::kRecords |
                    event_mask::kStreams;
  if (datagrams || profile.probe_every > 0) events |= event_mask::kPackets;
  return events;
}

absl::Status FlowObserver::OnBatch(Shard&, std::span<const Event> events) {
  for (const Event& event : events) {
    if (!compare_ && event.kind != EventKind::kFlowEnded) continue;
    switch (event.kind) {
      case EventKind::kFlowStarted:
        Learn(event);
        break;
      case EventKind::kFlowFlipped:
        if (Known* const known = Of(event)) known->flipped = !known->flipped;
        break;
      case EventKind::kFlowEnded:
        AddRecord(*event.record);
        break;
      case EventKind::kStreamData:
        CheckStream(event);
        break;
      case EventKind::kStreamHole:
        if (ObservedFlow* const flow = FlowOf(event))
          flow->holes[event.direction ^ Of(event)->flipped] += event.size;
        break;
      case EventKind::kStreamConflict:
        if (ObservedFlow* const flow = FlowOf(event)) ++flow->conflicts;
        break;
      case EventKind::kPacket:
        CheckDatagram(event);
        break;
      default:
        break;
    }
  }
  return absl::OkStatus();
}

void FlowObserver::Learn(const Event& event) {
  if (event.flow.slot >= by_slot_.size()) by_slot_.resize(2 * size_t{event.flow.slot} + 64);
  Known& known = by_slot_[event.flow.slot];
  known = {.generation = event.flow.generation};
  const std::optional<uint32_t> number = FlowNumberOf(profile_, event.record->key);
  if (!number) return;
  known.known = true;
  known.number = *number;
  known.ordinary = KindOf(*number) == FlowKind::kOrdinary;
  known.flipped = known.ordinary && !SentByInitiator(profile_, *number, event.record->key);
}

FlowObserver::Known* FlowObserver::Of(const Event& event) {
  if (event.flow.slot >= by_slot_.size()) return nullptr;
  Known& known = by_slot_[event.flow.slot];
  if (!known.known || known.generation != event.flow.generation) return nullptr;
  return &known;
}

ObservedFlow* FlowObserver::FlowOf(const Event& event) {
  const Known* const known = Of(event);
  return known != nullptr && known->ordinary ? &seen_.Flow(known->number) : nullptr;
}

void FlowObserver::AddRecord(const FlowRecord& record) {
  const std::optional<uint32_t> number = FlowNumberOf(profile_, record.key);
  if (!number) {
    ++seen_.unknown_records;
    return;
  }
  switch (KindOf(*number)) {
    case FlowKind::kOrdinary:
      break;
    case FlowKind::kProbe:
      return;
    default:
      ++seen_.flood_records;
      return;
  }
  ObservedFlow& flow = seen_.Flow(*number);
  ++flow.records;
  const size_t flipped = SentByInitiator(profile_, *number, record.key) ? 0 : 1;
  for (size_t side = 0; side < 2; ++side) {
    flow.packets[side ^ flipped] += static_cast<uint32_t>(record.packets[side]);
    flow.wire_bytes[side ^ flipped] += record.bytes[side];
  }
}

void FlowObserver::CheckStream(const Event& event) {
  Known* const known = Of(event);
  if (known == nullptr || !known->ordinary) return;
  const size_t side = event.direction ^ static_cast<size_t>(known->flipped);
  const PayloadPattern pattern(profile_.seed, known->number, static_cast<int>(side));
  const std::span<const uint8_t> bytes(event.data, event.size);
  uint64_t& origin = known->origin[side];
  seen_.Flow(known->number).delivered[side] += bytes.size();
  seen_.checked_bytes += bytes.size();
  size_t matching = pattern.Matching(event.offset + origin, bytes);
  if (matching == bytes.size()) return;
  // Joined behind its first byte (frames were lost): the bytes tell where they belong.
  const std::optional<uint64_t> found = pattern.Locate(bytes);
  if (found && *found != event.offset + origin) {
    const size_t there = pattern.Matching(*found, bytes);
    if (there > matching) {
      ++seen_.displaced_pieces;
      origin = *found - event.offset;
      if (there == bytes.size()) return;
      matching = there;
    }
  }
  seen_.AddWrong({.flow = known->number,
                  .direction = static_cast<int>(side),
                  .offset = event.offset + origin + matching,
                  .size = bytes.size()});
}

void FlowObserver::CheckDatagram(const Event& event) {
  const Packet& packet = *event.packet;
  if (packet.protocol == ip_protocol::kTcp) return;
  const Known* const known = Of(event);
  if (known == nullptr) return;
  if (known->number == kProbeFlow) return TakeProbe(packet);
  const size_t side = event.direction ^ static_cast<size_t>(known->flipped);
  const std::span<const uint8_t> bytes(packet.payload, packet.payload_length);
  if (known->ordinary) seen_.Flow(known->number).delivered[side] += bytes.size();
  const PayloadPattern pattern(profile_.seed, known->number, static_cast<int>(side));
  if (bytes.size() < kLeastDatagram) return;
  seen_.checked_bytes += bytes.size();
  const std::optional<uint64_t> offset = pattern.DatagramOffset(bytes);
  const size_t matching = offset ? pattern.Matching(*offset, bytes) : 0;
  if (matching == bytes.size()) return;
  seen_.AddWrong({.flow = known->number,
                  .direction = static_cast<int>(side),
                  .offset = offset.value_or(0) + matching,
                  .size = bytes.size()});
}

void FlowObserver::TakeProbe(const Packet& packet) {
  ProbePayload probe;
  if (packet.payload_length < sizeof probe) return;
  std::memcpy(&probe, packet.payload, sizeof probe);
  if (probe.mark != kProbeMark) return;
  ++seen_.probes;
  if (probe.sent_ns == 0) return;
  seen_.delays.Add(ReadClockNs(CLOCK_MONOTONIC) - static_cast<int64_t>(probe.sent_ns));
}

}  // namespace weir::load

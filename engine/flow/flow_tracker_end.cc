// How flows end: time-outs, eviction, the end of the source, the embedder's wish; and the records
// they leave.

#include <cstring>

#include "engine/flow/flow_batch.h"
#include "engine/flow/flow_history.h"
#include "engine/flow/flow_streams.h"
#include "rings/prefetch.h"

namespace weir {
namespace {

FlowState StateOf(const FlowHot& hot) {
  if (hot.phase <= Phase::kTcpReset) {
    constexpr FlowState kStates[] = {FlowState::kNew,         FlowState::kSynSent,
                                     FlowState::kSynReceived, FlowState::kEstablished,
                                     FlowState::kHalfClosed,  FlowState::kClosing,
                                     FlowState::kClosed,      FlowState::kReset};
    return kStates[static_cast<size_t>(hot.phase)];
  }
  return (hot.flags & flow_flag::kAnswered) != 0 ? FlowState::kEstablished : FlowState::kNew;
}

void CopyAddress(AddressFamily family, const void* from, std::array<uint8_t, 16>& to) {
  to = {};
  const size_t bytes = family == AddressFamily::kIpv4 ? 4 : family == AddressFamily::kIpv6 ? 16 : 6;
  std::memcpy(to.data(), from, bytes);
}

}  // namespace

int64_t FlowTracker::TimeoutOf(const FlowHot& hot) const {
  const int64_t timeout = timeouts_[static_cast<size_t>(hot.phase)];
  if ((hot.flags & flow_flag::kDoubtfulRst) == 0) return timeout;
  return std::min(timeout, timeouts_[static_cast<size_t>(Phase::kTcpReset)]);
}

bool FlowTracker::Expired(uint32_t slot, const FlowHot& hot) const {
  int64_t idle = clock_.now_ns() - hot.last_ns;
  if ((hot.flags & flow_flag::kLagging) != 0) idle -= table_->cold(slot).lag * kLagUnit;
  return idle > TimeoutOf(hot);
}

FlowEnd FlowTracker::ReasonOf(const FlowHot& hot, FlowEnd otherwise) const {
  if (hot.phase == Phase::kTcpClosed) return FlowEnd::kFin;
  if (hot.phase == Phase::kTcpReset || (hot.flags & flow_flag::kDoubtfulRst) != 0)
    return FlowEnd::kRst;
  return otherwise;
}

void FlowTracker::Rearm(uint32_t slot, const FlowHot& hot) {
  timers_->Disarm(slot);
  timers_->Arm(slot, clock_.now_ns(), hot.last_ns + TimeoutOf(hot));
}

void FlowTracker::CloseStreams(uint32_t slot, FlowEnd reason, EventBuffer* events) {
  if (streams_ == nullptr) return;
  streams_->Attach(events);
  const StreamEnd end = reason == FlowEnd::kRst ? StreamEnd::kRst : StreamEnd::kFlow;
  streams_->Close(slot, end, clock_.now_ns());
}

void FlowTracker::EndFlow(uint32_t slot, FlowEnd reason, EventBuffer& events) {
  timers_->Disarm(slot);
  EndDisarmed(slot, reason, events);
}

void FlowTracker::EndDisarmed(uint32_t slot, FlowEnd reason, EventBuffer& events) {
  table_->PrefetchGroup(HashOf(rules_, table_->hot(slot)));
  reason = ReasonOf(table_->hot(slot), reason);
  ++counters_.ended[static_cast<size_t>(reason)];
  events.CountEnd();
  CloseStreams(slot, reason, &events);
  Emit(EventKind::kFlowEnded, slot, reason, events);
  Remove(slot);
}

void FlowTracker::Remove(uint32_t slot) {
  const FlowHot& hot = table_->hot(slot);
  cheap_ -= Cheap(hot);
  for (int side = 0; side < 2; ++side) {
    counters_.ended_packets += PacketsOf(slot, side);
    counters_.ended_bytes += BytesOf(slot, side);
  }
  tunnels_->Drop(hot.key.tunnel);
  table_->Erase(slot, HashOf(rules_, hot));
}

bool FlowTracker::Expire(EventBuffer& events) {
  const int64_t now = clock_.now_ns();
  if (streams_ != nullptr) {
    streams_->Attach(&events);
    streams_->Expire(now);
  }
  while (events.HasRoom()) {
    const uint32_t slot = timers_->PopDue(now);
    if (slot == kNoSlot) return false;
    PrefetchDue();
    const FlowHot& hot = table_->hot(slot);
    if (Expired(slot, hot)) {
      EndDisarmed(slot, FlowEnd::kIdle, events);
    } else {
      const int64_t lag =
          (hot.flags & flow_flag::kLagging) != 0 ? table_->cold(slot).lag * kLagUnit : 0;
      timers_->Arm(slot, now, hot.last_ns + lag + TimeoutOf(hot));
    }
  }
  return true;
}

bool FlowTracker::Flush(EventBuffer& events) {
  for (; flush_ < table_->slots(); ++flush_) {
    if (!events.HasRoom()) return true;
    if (!table_->used(flush_)) continue;
    EndFlow(flush_, Expired(flush_, table_->hot(flush_)) ? FlowEnd::kIdle : FlowEnd::kEnd, events);
  }
  flush_ = 0;
  return false;
}

// Lines of the two flows that Expire looks at next.
void FlowTracker::PrefetchDue() const {
  const FlowTimers::Ahead ahead = timers_->PeekDue();
  if (ahead.after != kNoSlot) {
    PrefetchToWrite(&table_->hot(ahead.after));
    PrefetchToWrite(&table_->cold(ahead.after));
  }
  if (ahead.next == kNoSlot || streams_ == nullptr) return;
  for (int side = 0; side < 2; ++side) streams_->Prefetch(table_->hot(ahead.next), side);
}

int64_t FlowTracker::NextExpiry() const {
  int64_t due = timers_->NextDue();
  if (streams_ != nullptr) due = std::min(due, streams_->NextExpiry());
  return due == INT64_MAX ? due : clock_.ToTimestamp(due);
}

void FlowTracker::Evict(EventBuffer& events) {
  const uint32_t victim = PickVictim();
  const FlowHot& hot = table_->hot(victim);
  const bool answered = (hot.flags & flow_flag::kAnswered) != 0;
  ++counters_.evicted[static_cast<size_t>(KindOf(hot.phase, answered))];
  EndFlow(victim, FlowEnd::kEvicted, events);
}

// Second chance: the hand goes round the table, and the longest silent cheap flow of the next few
// goes. Where cheap flows are rare (less than one in kFar), looking for one would cost more than it
// is worth: the longest silent of the next kFar flows goes.
uint32_t FlowTracker::PickVictim() {
  constexpr uint32_t kNear = 4;
  constexpr uint32_t kFar = 64;
  const bool common = uint64_t{cheap_} * kFar >= table_->size();
  uint32_t victim = kNoSlot;
  uint32_t cheap_seen = 0;
  int64_t victim_last = INT64_MAX;
  for (uint32_t looked = 0; cheap_seen < kNear && (looked < kFar || (common && cheap_seen == 0));) {
    hand_ = hand_ + 1 >= table_->slots() ? 0 : hand_ + 1;
    if (!table_->used(hand_)) continue;
    ++looked;
    const FlowHot& hot = table_->hot(hand_);
    const bool cheap = Cheap(hot);
    if (cheap_seen != 0 && !cheap) continue;
    if ((cheap && cheap_seen == 0) || hot.last_ns < victim_last) {
      victim = hand_;
      victim_last = hot.last_ns;
    }
    cheap_seen += cheap;
  }
  for (uint32_t ahead = 1; ahead <= kNear + 1 && hand_ + ahead < table_->slots(); ++ahead) {
    PrefetchToRead(&table_->hot(hand_ + ahead));
  }
  return victim;
}

void FlowTracker::InterimIfDue(uint32_t slot, EventBuffer& events) {
  Interval& interval = intervals_[slot];
  const int64_t now = clock_.now_ns();
  if (now - interval.start_ns < options_.timeouts.active) return;
  if (PacketsOf(slot, 0) + PacketsOf(slot, 1) != 0) {
    ++counters_.ended[static_cast<size_t>(FlowEnd::kActive)];
    Emit(EventKind::kFlowInterim, slot, FlowEnd::kActive, events);
    ++interval.number;
  }
  interval.start_ns = now;
  for (size_t side = 0; side < 2; ++side) {
    interval.packets[side] = PacketsOf(slot, static_cast<int>(side));
    interval.bytes[side] = BytesOf(slot, static_cast<int>(side));
  }
}

void FlowTracker::Emit(EventKind kind, uint32_t slot, FlowEnd reason, EventBuffer& events) {
  if (!events.Wants(kind)) return;
  FlowRecord& record = events.AddRecord();
  FillRecord(slot, reason, record);
  Event& event = events.Add(kind);
  event.flow = record.handle;
  event.time_ns = record.end_ns;
  event.record = &record;
}

void FlowTracker::FillRecord(uint32_t slot, FlowEnd reason, FlowRecord& record) const {
  const FlowHot& hot = table_->hot(slot);
  const FlowCold& cold = table_->cold(slot);
  const int initiator = hot.flags & flow_flag::kInitiatorIsB;
  record.handle = HandleOf(slot);
  record.flow_id = static_cast<uint64_t>(hot.generation) * table_->slots() + slot;
  const bool compact = hot.family == AddressFamily::kIpv4;
  const FlowAddresses& wide = table_->addresses(slot);
  const void* a = compact ? static_cast<const void*>(&hot.key.a) : wide.a;
  const void* b = compact ? static_cast<const void*>(&hot.key.b) : wide.b;
  CopyAddress(hot.family, initiator == 0 ? a : b, record.key.source);
  CopyAddress(hot.family, initiator == 0 ? b : a, record.key.destination);
  record.key.source_port = initiator == 0 ? hot.key.port_a : hot.key.port_b;
  record.key.destination_port = initiator == 0 ? hot.key.port_b : hot.key.port_a;
  record.key.protocol = hot.protocol;
  record.key.family = hot.family;
  record.key.tunnel = hot.key.tunnel;
  for (int direction = 0; direction < 2; ++direction) {
    const int side = direction ^ initiator;
    const auto i = static_cast<size_t>(direction);
    const auto s = static_cast<size_t>(side);
    record.packets[i] = record.packets_delta[i] = PacketsOf(slot, side);
    record.bytes[i] = record.bytes_delta[i] = BytesOf(slot, side);
    if (intervals_ != nullptr) {
      record.packets_delta[i] -= intervals_[slot].packets[s];
      record.bytes_delta[i] -= intervals_[slot].bytes[s];
    }
    record.tcp_flags[i] = hot.tcp_flags[s];
    record.label[i] = cold.label[s];
  }
  record.start_ns = clock_.ToTimestamp(cold.start_ns);
  record.end_ns = clock_.ToTimestamp(hot.last_ns);
  record.vlan = {static_cast<uint16_t>(cold.vlan >> 20),
                 static_cast<uint16_t>(cold.vlan >> 8 & 0xfff)};
  record.vlan_count = static_cast<uint8_t>(cold.vlan);
  record.state = StateOf(hot);
  record.end = reason;
  record.answered = (hot.flags & flow_flag::kAnswered) != 0;
  record.midstream = (hot.flags & flow_flag::kMidstream) != 0;
  record.interim = intervals_ != nullptr ? static_cast<uint16_t>(intervals_[slot].number) : 0;
  const bool icmp = hot.phase == Phase::kIcmp;
  record.icmp_type = icmp ? static_cast<uint8_t>(cold.initial_seq[0] >> 8) : 0;
  record.icmp_code = icmp ? static_cast<uint8_t>(cold.initial_seq[0]) : 0;
  record.interface_index = cold.interface_index;
  History::Spell(cold.history, record.history);
  tunnels_->PathOf(hot.key.tunnel, record.tunnel);
  record.user = cold.user;
  record.reassembled = streams_ != nullptr && hot.protocol == ip_protocol::kTcp;
  if (!record.reassembled) return;
  for (int direction = 0; direction < 2; ++direction) {
    record.stream[static_cast<size_t>(direction)] = streams_->totals(hot, direction ^ initiator);
  }
}

uint64_t FlowTracker::PacketsOf(uint32_t slot, int side) const {
  return static_cast<uint64_t>(table_->cold(slot).packets_high[side]) << 16 |
         table_->hot(slot).packets[side];
}

uint64_t FlowTracker::BytesOf(uint32_t slot, int side) const {
  return static_cast<uint64_t>(table_->cold(slot).bytes_high[side]) << 32 |
         table_->hot(slot).bytes[side];
}

uint64_t FlowTracker::AlivePackets() const {
  uint64_t packets = 0;
  ForEach([&](FlowHandle flow) { packets += PacketsOf(flow.slot, 0) + PacketsOf(flow.slot, 1); });
  return packets;
}

bool FlowTracker::Valid(FlowHandle flow) const {
  return flow.slot < table_->slots() && table_->used(flow.slot) &&
         table_->hot(flow.slot).generation == flow.generation;
}

std::optional<FlowHandle> FlowTracker::Lookup(const FlowKey& key) const {
  Packet packet;
  packet.source = key.source.data();
  packet.destination = key.destination.data();
  packet.source_port = key.source_port;
  packet.destination_port = key.destination_port;
  packet.protocol = key.protocol;
  packet.family = key.family;
  PreparedKey prepared;
  PrepareKey(rules_, packet, key.tunnel, prepared);
  const uint32_t slot = table_->Find(prepared);
  if (slot == kNoSlot) return std::nullopt;
  return HandleOf(slot);
}

bool FlowTracker::Read(FlowHandle flow, FlowRecord& record) const {
  if (!Valid(flow)) return false;
  FillRecord(flow.slot, FlowEnd::kNone, record);
  return true;
}

bool FlowTracker::Bypass(FlowHandle flow, bool bypass) {
  if (!Valid(flow)) return false;
  FlowHot& hot = table_->hot(flow.slot);
  hot.flags = static_cast<uint8_t>(bypass ? hot.flags | flow_flag::kBypassed
                                          : hot.flags & ~flow_flag::kBypassed);
  if (bypass && streams_ != nullptr) {
    streams_->Attach(nullptr);
    for (int side = 0; side < 2; ++side) streams_->Stop(hot, side);
  }
  return true;
}

int FlowTracker::SideOf(FlowHandle flow, int direction) const {
  return direction ^ (table_->hot(flow.slot).flags & flow_flag::kInitiatorIsB);
}

bool FlowTracker::StopStream(FlowHandle flow, int direction) {
  if (streams_ == nullptr || !Valid(flow)) return false;
  streams_->Attach(nullptr);
  streams_->Stop(table_->hot(flow.slot), SideOf(flow, direction));
  return true;
}

bool FlowTracker::LimitDepth(FlowHandle flow, int direction, uint64_t depth) {
  if (streams_ == nullptr || !Valid(flow)) return false;
  streams_->Attach(nullptr);
  return streams_->LimitDepth(flow.slot, table_->hot(flow.slot), SideOf(flow, direction), depth);
}

bool FlowTracker::Keep(const Event& event, uint32_t size) {
  if (streams_ == nullptr || !Valid(event.flow) || event.kind != EventKind::kStreamData)
    return false;
  StreamData data;
  data.offset = event.offset;
  data.data = event.data;
  data.size = static_cast<uint32_t>(event.size);
  return streams_->Keep(table_->hot(event.flow.slot), SideOf(event.flow, event.direction), data,
                        size);
}

void FlowTracker::Release() {
  if (streams_ != nullptr) streams_->Release();
}

StreamCounters FlowTracker::stream_counters() const {
  return streams_ != nullptr ? streams_->counters() : StreamCounters{};
}

size_t FlowTracker::MostStreamEvents() const {
  return streams_ != nullptr ? streams_->MostEvents() : 0;
}

uint64_t* FlowTracker::User(FlowHandle flow) {
  return Valid(flow) ? &table_->cold(flow.slot).user : nullptr;
}

std::optional<FlowRecord> FlowTracker::End(FlowHandle flow) {
  if (!Valid(flow)) return std::nullopt;
  Bypass(flow, true);  // what waits in its streams nobody will see
  CloseStreams(flow.slot, FlowEnd::kNone, nullptr);
  FlowRecord record;
  FillRecord(flow.slot, FlowEnd::kNone, record);
  timers_->Disarm(flow.slot);
  ++counters_.ended[static_cast<size_t>(FlowEnd::kNone)];
  Remove(flow.slot);
  return record;
}

}  // namespace weir

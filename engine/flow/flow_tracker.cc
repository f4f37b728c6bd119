#include "engine/flow/flow_tracker.h"

#include <sys/random.h>

#include <bit>
#include <cstdlib>
#include <iterator>

#include "absl/strings/str_format.h"
#include "engine/flow/flow_batch.h"
#include "engine/flow/flow_history.h"
#include "engine/flow/flow_streams.h"
#include "engine/tcp/tcp_state.h"
#include "rings/prefetch.h"

namespace weir {
namespace {

constexpr uint32_t kMaxFlows = 1u << 28;

// A hundred years: any sum with a time stamp stays within 64 bits.
constexpr int64_t kLongestTimeout = int64_t{100} * 365 * 24 * 3600 * Timeouts::kSecond;
static_assert(kLongestTimeout < INT64_MAX - FlowClock::kLatest);

uint64_t RandomSeed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) std::abort();
  return seed == 0 ? 1 : seed;
}

uint32_t TunnelsFor(const FlowOptions& options) {
  return options.max_tunnels != 0 ? options.max_tunnels : std::max(options.max_flows / 32, 1024u);
}

Phase FirstPhase(uint8_t protocol) {
  switch (protocol) {
    case ip_protocol::kTcp:
      return Phase::kTcpMidstream;
    case ip_protocol::kUdp:
      return Phase::kUdp;
    case ip_protocol::kIcmp:
    case ip_protocol::kIcmpv6:
      return Phase::kIcmp;
    default:
      return Phase::kOther;
  }
}

uint32_t PackVlan(const Packet& packet) {
  const uint32_t outer = packet.vlan_count > 0 ? packet.vlan[0] & 0xfffu : 0;
  const uint32_t inner = packet.vlan_count > 1 ? packet.vlan[1] & 0xfffu : 0;
  return outer << 20 | inner << 8 | packet.vlan_count;
}

}  // namespace

size_t FlowTracker::MemoryBytes(const FlowOptions& options) {
  const uint32_t slots = options.max_flows;
  const size_t bytes = FlowTable::MemoryBytes(options.max_flows) + FlowTimers::MemoryBytes(slots) +
                       TunnelTable::MemoryBytes(TunnelsFor(options)) +
                       (options.timeouts.active > 0 ? Arena::Bytes<Interval>(slots) : 0);
  return (bytes + 4095) / 4096 * 4096;
}

absl::StatusOr<std::unique_ptr<FlowTracker>> FlowTracker::Create(const FlowOptions& options) {
  if (options.max_flows == 0 || options.max_flows > kMaxFlows) {
    return absl::InvalidArgumentError(absl::StrFormat("max_flows is %u: give a number from 1 to %u",
                                                      options.max_flows, kMaxFlows));
  }
  absl::StatusOr<Arena> arena = Arena::Create(MemoryBytes(options));
  if (!arena.ok()) return arena.status();
  std::unique_ptr<FlowTracker> tracker(new FlowTracker(options, *std::move(arena)));
  if (options.streams.has_value()) {
    StreamOptions streams = *options.streams;
    if (streams.max_connections == 0) streams.max_connections = options.max_flows;
    auto made = FlowStreams::Create(streams, *tracker->table_, tracker->clock_);
    if (!made.ok()) return made.status();
    tracker->streams_ = *std::move(made);
  }
  return tracker;
}

FlowTracker::FlowTracker(const FlowOptions& options, Arena arena)
    : options_(options),
      arena_(std::move(arena)),
      batch_(std::make_unique<Batch>(options.decoder)) {
  if (options_.seed == 0) options_.seed = RandomSeed();
  rules_ = {options.key == KeyKind::kFiveTuple, options.bidirectional, options_.seed};
  tcp_hash_ = HashFor(rules_, ip_protocol::kTcp);
  udp_hash_ = HashFor(rules_, ip_protocol::kUdp);
  plain_ = rules_.ports && rules_.bidirectional && options.extension.function == nullptr;
  const Timeouts& t = options_.timeouts;
  timeouts_ = {t.tcp_unanswered,
               t.tcp_syn,
               t.tcp_syn,
               t.tcp_established,
               t.tcp_closing,
               t.tcp_closing,
               t.tcp_closed,
               t.tcp_closed,
               t.udp,
               t.icmp,
               t.other};
  for (int64_t& timeout : timeouts_) timeout = std::min(timeout, kLongestTimeout);
  table_.emplace(options.max_flows, arena_);
  timers_.emplace(table_->slots(), arena_);
  tunnels_.emplace(TunnelsFor(options), options_.seed, arena_);
  refused_flags_ = options.drop_bad_checksums ? packet_flag::kBadChecksum : 0;
  if (t.active > 0) intervals_ = arena_.Take<Interval>(table_->slots());
}

FlowTracker::~FlowTracker() = default;

inline void FlowTracker::Count(uint32_t slot, FlowHot& hot, const Packet& packet, int side) {
  const uint32_t bytes = packet.wire_length + packet.held_bytes;
  const uint32_t packets = 1 + packet.held_packets;
  const uint32_t packets_before = hot.packets[side];
  hot.packets[side] = static_cast<uint16_t>(packets_before + packets);
  hot.bytes[side] += bytes;
  if (packets_before + packets > UINT16_MAX) [[unlikely]] {
    table_->cold(slot).packets_high[side] += (packets_before + packets) >> 16;
  }
  if (hot.bytes[side] < bytes) [[unlikely]]
    ++table_->cold(slot).bytes_high[side];
}

inline void FlowTracker::Observe(uint32_t slot, FlowHot& hot, int64_t time_ns) {
  hot.last_ns = std::max(hot.last_ns, time_ns);
  const int64_t behind = clock_.now_ns() - hot.last_ns;
  if (behind < kLagUnit && (hot.flags & flow_flag::kLagging) == 0) [[likely]]
    return;
  NoteLag(slot, hot, behind);
}

// TrackSteady for packets that are not usual, or late: fragments, labels, other protocols. False,
// and nothing was done, when it may be more than that.
inline bool FlowTracker::CountSteady(FlowHot& hot, const Packet& packet, const PreparedKey& key,
                                     int64_t time_ns) const {
  constexpr uint8_t kControl = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst;
  constexpr uint8_t kOddFlow = flow_flag::kDoubtfulRst | flow_flag::kLagging;
  if ((packet.tcp_flags & kControl) != 0) return false;
  const int side = key.side;
  const bool tcp = key.protocol == ip_protocol::kTcp;
  const uint32_t tcp_letter =
      packet.payload_wire_length != 0 ? history_bit::kData : history_bit::kAck;
  const uint32_t letters = tcp ? tcp_letter | history_bit::kSeen : history_bit::kData;
  const uint32_t first_answer = (hot.flags & flow_flag::kAnswered) != 0 ? 0 : hot.letters[side ^ 1];
  const uint32_t odd = (hot.flags & kOddFlow) | packet.label | packet.held_packets |
                       (packet.flags & refused_flags_) | (letters & ~uint32_t{hot.letters[side]}) |
                       first_answer;
  const int64_t idle = clock_.now_ns() - hot.last_ns;
  const uint32_t bytes = hot.bytes[side] + packet.wire_length;
  if (odd != 0 || idle > timeouts_[static_cast<size_t>(hot.phase)] ||
      clock_.now_ns() - time_ns >= kLagUnit || hot.packets[side] == UINT16_MAX ||
      bytes < packet.wire_length) [[unlikely]] {
    return false;
  }
  if (tcp) {
    const bool steady =
        hot.phase == Phase::kTcpEstablished ||
        (hot.phase == Phase::kTcpMidstream && side == (hot.flags & flow_flag::kInitiatorIsB));
    if (!steady || (packet.flags & packet_flag::kTcpFields) == 0) [[unlikely]]
      return false;
    hot.tcp_flags[side] |= packet.tcp_flags;
    AdvanceSequence(hot.next_seq[side], packet.tcp_seq + packet.payload_wire_length);
    // Of no meaning as long as the other side was not heard: its first segment sets it.
    if ((packet.tcp_flags & tcp_flag::kAck) != 0)
      AdvanceSequence(hot.next_seq[side ^ 1], packet.tcp_ack);
  }
  ++hot.packets[side];
  hot.bytes[side] = bytes;
  hot.last_ns = std::max(hot.last_ns, time_ns);
  return true;
}

// `found`: the slot of the packet's flow, or kNoSlot where it was not looked for.
void FlowTracker::TrackAny(const Frame& frame, Packet& packet, const PreparedKey& key,
                           uint32_t found, int64_t time_ns, EventBuffer& events) {
  const int side = key.side;
  bool fresh = false;
  const uint32_t slot = FindOrStart(packet, key, found, &fresh, events);
  if (slot == kNoSlot) {
    packet.verdict = Verdict::kShed;
    packet.reason = static_cast<uint8_t>(Shed::kOverload);
    return;
  }
  if (fresh) StartFlow(slot, frame, packet, side, time_ns);
  FlowHot& hot = table_->hot(slot);
  if (intervals_ != nullptr) InterimIfDue(slot, events);
  Count(slot, hot, packet, side);
  Observe(slot, hot, time_ns);
  const bool tcp = key.protocol == ip_protocol::kTcp;
  if (tcp) {
    hot.tcp_flags[side] |= packet.tcp_flags;
    const uint8_t flags = hot.flags;
    TrackTcpControl(slot, hot, packet, side, events);
    const bool flipped = ((flags ^ hot.flags) & flow_flag::kInitiatorIsB) != 0;
    if (flipped && !fresh) Emit(EventKind::kFlowFlipped, slot, FlowEnd::kNone, events);
  } else if ((hot.letters[side] & history_bit::kData) == 0) {
    NoteHistory(slot, hot, side, history_bit::kData);
  }
  if ((hot.flags & flow_flag::kAnswered) == 0 && hot.letters[side ^ 1] != 0)
    NoteAnswer(slot, hot, events);
  if (deltas_ != nullptr) CountDelta(slot, hot, packet, side);
  if (packet.label != 0) table_->cold(slot).label[side] = packet.label;
  if (fresh) Emit(EventKind::kFlowStarted, slot, FlowEnd::kNone, events);
  if ((events.mask() & kPacketEvents) != 0) Report(frame, packet, slot, side, events);
  if (tcp && streams_ != nullptr && (packet.flags & packet_flag::kTcpFields) != 0)
    streams_->Take(slot, hot, packet, side, time_ns);
}

// A packet with a wrong checksum looks from here on as if its TCP header had not been captured.
void FlowTracker::RefuseBadChecksum(Packet& packet) {
  if (packet.protocol != ip_protocol::kTcp) return;
  packet.flags = static_cast<uint8_t>(packet.flags & ~packet_flag::kTcpFields);
  packet.tcp_flags = 0;
  if (streams_ != nullptr) streams_->Refuse(packet, Refused::kChecksum);
}

void FlowTracker::Track(std::span<const Frame> frames, std::span<Packet> packets,
                        EventBuffer& events) {
  PrepareBatch(frames, packets);
  const bool watched = streams_ != nullptr || deltas_ != nullptr || intervals_ != nullptr ||
                       (events.mask() & kPacketEvents) != 0;
  if (watched) {
    TrackWatched(frames, packets, events);
  } else {
    TrackPlain(frames, packets, events);
  }
  if (batch_->unlisted_count != 0) CountUnlisted();
  if (!batch_->holds_tunnels) return;
  for (size_t i = 0; i < packets.size(); ++i) {
    if (batch_->keys[i].family != AddressFamily::kNone) tunnels_->Drop(batch_->keys[i].key.tunnel);
  }
}

// One packet that may be more than steady, or not for a steady batch.
void FlowTracker::TrackOne(const Frame& frame, Packet& packet, const PreparedKey& key,
                           uint32_t guess, int64_t time_ns, EventBuffer& events) {
  if (key.family == AddressFamily::kNone) return;
  if ((packet.flags & refused_flags_) != 0) [[unlikely]]
    RefuseBadChecksum(packet);
  const bool found = guess != kNoSlot && table_->Holds(guess, key);
  if (found && intervals_ == nullptr && CountSteady(table_->hot(guess), packet, key, time_ns)) {
    if (deltas_ != nullptr) CountDelta(guess, table_->hot(guess), packet, key.side);
    if ((events.mask() & kPacketEvents) != 0) Report(frame, packet, guess, key.side, events);
    if (streams_ != nullptr && key.protocol == ip_protocol::kTcp)
      streams_->Take(guess, table_->hot(guess), packet, key.side, time_ns);
    return;
  }
  TrackAny(frame, packet, key, found ? guess : kNoSlot, time_ns, events);
}

// The slot of the packet's flow; `fresh` when it was just inserted and its lines are not set yet.
// kNoSlot when it would be a new one, and those are refused.
uint32_t FlowTracker::FindOrStart(const Packet& packet, const PreparedKey& key, uint32_t found,
                                  bool* fresh, EventBuffer& events) {
  const uint32_t slot = found != kNoSlot ? found : table_->Find(key);
  if (slot != kNoSlot) {
    const FlowHot& hot = table_->hot(slot);
    if (Expired(slot, hot)) {
      EndFlow(slot, FlowEnd::kIdle, events);
    } else if (hot.protocol == ip_protocol::kTcp && (packet.tcp_flags & tcp_flag::kSyn) != 0 &&
               StartsNewConnection(slot, hot, packet, key.side)) {
      ++counters_.ports_reused;
      EndFlow(slot, FlowEnd::kEnd, events);
    } else {
      return slot;
    }
  }
  if (Refuses(key.hash)) return kNoSlot;
  if (table_->full()) Evict(events);
  *fresh = true;
  return table_->Insert(key);
}

void FlowTracker::StartFlow(uint32_t slot, const Frame& frame, const Packet& packet, int side,
                            int64_t time_ns) {
  FlowHot& hot = table_->hot(slot);
  hot.phase = FirstPhase(hot.protocol);
  hot.flags = side == 1 ? flow_flag::kInitiatorIsB : 0;
  for (int i = 0; i < 2; ++i) {
    hot.tcp_flags[i] = hot.letters[i] = 0;
    hot.packets[i] = 0;
    hot.bytes[i] = hot.next_seq[i] = 0;
  }
  hot.stream = kNoConnection;
  hot.last_ns = time_ns;
  ++hot.generation;

  FlowCold& cold = table_->cold(slot);
  cold = FlowCold{};
  cold.start_ns = time_ns;
  cold.interface_index = frame.interface_index;
  cold.vlan = PackVlan(packet);
  if (hot.phase == Phase::kIcmp) {
    cold.initial_seq[0] = static_cast<uint32_t>(packet.icmp_type << 8 | packet.icmp_code);
  }
  if (hot.phase == Phase::kTcpMidstream) StartTcp(hot, packet);
  tunnels_->Use(hot.key.tunnel);
  if (intervals_ != nullptr) intervals_[slot] = Interval{.start_ns = time_ns};
  timers_->Arm(slot, clock_.now_ns(), clock_.now_ns() + TimeoutOf(hot));
  ++cheap_;
  ++counters_.started;
}

void FlowTracker::NoteLag(uint32_t slot, FlowHot& hot, int64_t behind) {
  const auto lag = static_cast<uint8_t>(std::min<int64_t>(behind / kLagUnit, 255));
  table_->cold(slot).lag = lag;
  hot.flags = static_cast<uint8_t>(lag != 0 ? hot.flags | flow_flag::kLagging
                                            : hot.flags & ~flow_flag::kLagging);
}

void FlowTracker::NoteAnswer(uint32_t slot, FlowHot& hot, EventBuffer& events) {
  cheap_ -= Cheap(hot);
  hot.flags |= flow_flag::kAnswered;
  cheap_ += Cheap(hot);
  if (hot.protocol == ip_protocol::kTcp) return;
  ++counters_.established;
  Emit(EventKind::kFlowEstablished, slot, FlowEnd::kNone, events);
}

void FlowTracker::NoteHistory(uint32_t slot, FlowHot& hot, int side, uint8_t fresh) {
  // In the order of history_bit.
  constexpr HistoryLetter kLetters[] = {HistoryLetter::kSyn, HistoryLetter::kSynAck,
                                        HistoryLetter::kAck, HistoryLetter::kData,
                                        HistoryLetter::kFin, HistoryLetter::kRst};
  static_assert(1u << (std::size(kLetters) - 1) == history_bit::kRst);
  const bool responder = side != (hot.flags & flow_flag::kInitiatorIsB);
  hot.letters[side] |= fresh;
  History history(table_->cold(slot).history);
  for (unsigned left = fresh; left != 0; left &= left - 1)
    history.Push(kLetters[std::countr_zero(left)], responder);
}

}  // namespace weir

// The first part of tracking a batch: keys, hashes, and which lines are likely needed.

#include <algorithm>

#include "engine/flow/flow_batch.h"
#include "engine/flow/flow_hash_inline.h"
#include "rings/prefetch.h"

namespace weir {
namespace {

constexpr size_t kAhead = 16;              // packets from a group's request to its reading
constexpr uint64_t kNoShape = UINT64_MAX;  // of no packet

}  // namespace

// Keys, hashes and guesses of the whole batch. Each group of tags is asked for kAhead packets
// before it is read, and so each hot line long before Track comes to it; requests for the two take
// turns, so that they do not queue up.
void FlowTracker::PrepareBatch(std::span<const Frame> frames, std::span<Packet> packets) {
  batch_->holds_tunnels = false;
  const size_t size = packets.size();
  std::fill_n(batch_->guesses.begin() + size, Batch::kMostAhead, kNoSlot);
  for (size_t i = 0; i < size + kAhead; i += kAhead) {
    if (i < size) PrepareKeys(frames, packets, i, std::min(i + kAhead, size));
    if (i > 0) GuessSlots(packets, i - kAhead, std::min(i, size));
  }
}

// Keys and hashes of packets `begin` to `end`; asks for the groups of tags.
void FlowTracker::PrepareKeys(std::span<const Frame> frames, std::span<Packet> packets,
                              size_t begin, size_t end) {
  // Copies, so that they stay in registers whatever is stored through the packets.
  const WordsHash tcp_hash = tcp_hash_;
  const FlowTable table = *table_;
  const uint64_t plain = plain_ ? kPlainSegment : kNoShape;
  Batch& batch = *batch_;
  for (size_t i = begin; i < end; ++i) {
    Packet& packet = packets[i];
    PreparedKey& key = batch.keys[i];
    if (ShapeOf(packet) == plain) [[likely]] {
      PreparePlainKey<ip_protocol::kTcp>(tcp_hash, packet, key);
    } else if (IsStraight(ShapeOf(packet)) && plain_) {
      if (packet.protocol == ip_protocol::kTcp) {
        PreparePlainKey<ip_protocol::kTcp>(tcp_hash, packet, key);
      } else {
        PreparePlainKey<ip_protocol::kUdp>(udp_hash_, packet, key);
      }
    } else if (!PrepareOdd(frames[i], packet, key)) {
      key.family = AddressFamily::kNone;
      batch.guesses[i] = kNoSlot;
      continue;
    }
    batch.groups[i] = &table.PrefetchGroup(key.hash);
  }
}

// Reads the group of packet `i`; asks for the lines that Track will likely need.
[[gnu::always_inline]] inline void FlowTracker::GuessOne(const FlowTable& table,
                                                         const Packet& packet, size_t i) {
  constexpr uint8_t kControl = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst;
  Batch& batch = *batch_;
  const uint32_t slot = batch.guesses[i] = table.Guess(*batch.groups[i], batch.keys[i].hash);
  if ((packet.tcp_flags & kControl) != 0 && slot != kNoSlot) [[unlikely]] {
    PrefetchToWrite(&table.cold(slot));
    timers_->Prefetch(slot);
  }
}

void FlowTracker::GuessSlots(std::span<const Packet> packets, size_t begin, size_t end) {
  const FlowTable table = *table_;
  const Batch& batch = *batch_;
  for (size_t i = begin; i < end; ++i) {
    const AddressFamily family = batch.keys[i].family;
    if (family == AddressFamily::kIpv4) [[likely]] {
      GuessOne(table, packets[i], i);
    } else if (family != AddressFamily::kNone) {
      GuessOne(table, packets[i], i);
      if (batch.guesses[i] != kNoSlot) table.PrefetchAddresses(batch.guesses[i]);
    }
  }
}

// Any packet: IPv6, tunnels, other protocols, MAC pairs, keys with an extension. False: the packet
// is not tracked.
bool FlowTracker::PrepareOdd(const Frame& frame, Packet& packet, PreparedKey& key) {
  if (plain_ && packet.family == AddressFamily::kIpv4 && packet.verdict == Verdict::kTracked &&
      packet.tunnel == nullptr) {
    PrepareIpv4Key(KeyRules(), HashFor(rules_, packet.protocol), packet, 0, packet.protocol, key);
    return true;
  }
  const bool mac = options_.key == KeyKind::kMacPair;
  if (mac && packet.verdict == Verdict::kNotIp && packet.family == AddressFamily::kMac) {
    packet.verdict = Verdict::kTracked;
  }
  if (packet.verdict != Verdict::kTracked) return false;
  uint32_t tunnel = 0;
  const bool extended = options_.extension.function != nullptr;
  if ((packet.tunnel != nullptr || extended) && !AcquireTunnel(frame, packet, &tunnel))
    return false;
  PrepareKey(rules_, packet, tunnel, key);
  return true;
}

// False, and the packet is shed, when there is no room for one more tunnel identity.
bool FlowTracker::AcquireTunnel(const Frame& frame, Packet& packet, uint32_t* id) {
  const TunnelPath* path = packet.tunnel;
  TunnelPath extended;
  if (options_.extension.function != nullptr) {
    extended.Clear();
    if (path != nullptr) extended = *path;
    const uint64_t value = options_.extension.function(options_.extension.context, frame, packet);
    if (value != 0) extended.Append(PathElement::kExtension, &value, sizeof value);
    path = &extended;
  }
  const std::optional<uint32_t> found = tunnels_->Acquire(*path);
  if (!found.has_value()) {
    packet.verdict = Verdict::kShed;
    packet.reason = static_cast<uint8_t>(Shed::kTunnelTable);
    return false;
  }
  batch_->holds_tunnels |= TunnelTable::IsCounted(*found);
  *id = *found;
  return true;
}

}  // namespace weir

// The first part of tracking a batch: keys, hashes, and which lines are likely needed.

#include "engine/flow/flow_batch.h"
#include "engine/flow/flow_hash_inline.h"
#include "rings/prefetch.h"

namespace weir {
namespace {

constexpr size_t kAhead = 16;  // packets from a group's request to its reading

}  // namespace

// Keys, hashes and guesses of the whole batch. Each group of tags is asked for kAhead packets
// before it is read, and so each hot line long before Track comes to it; requests for the two are
// mixed, so that they do not queue up.
void FlowTracker::PrepareBatch(std::span<const Frame> frames, std::span<Packet> packets) {
  Batch& batch = *batch_;
  batch.holds_tunnels = false;
  // Copies, so that they stay in registers whatever is stored through the packets.
  const KeyRules rules = rules_;
  const FlowTable table = *table_;
  const bool plain = options_.key != KeyKind::kMacPair && options_.extension.function == nullptr;
  constexpr uint8_t kControl = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst;
  const size_t size = packets.size();
  for (size_t i = 0; i < size + kAhead; ++i) {
    if (i < size) {
      Packet& packet = packets[i];
      PreparedKey& key = batch.keys[i];
      if (plain && packet.verdict == Verdict::kTracked && packet.tunnel == nullptr) [[likely]] {
        PrepareKeyInline(rules, packet, 0, key);
        table.PrefetchGroup(key.hash);
      } else if (PrepareOdd(frames[i], packet, key)) {
        table.PrefetchGroup(key.hash);
      } else {
        key.family = AddressFamily::kNone;
      }
    }
    if (i >= kAhead) {
      const PreparedKey& key = batch.keys[i - kAhead];
      if (key.family == AddressFamily::kNone) continue;
      const uint32_t slot = batch.guesses[i - kAhead] = table.Guess(key.hash);
      if ((packets[i - kAhead].tcp_flags & kControl) != 0 && slot != kNoSlot)
        PrefetchToWrite(&table.cold(slot));
    }
  }
}

// Packets in tunnels, MAC pairs, keys with an extension. False: the packet is not tracked.
bool FlowTracker::PrepareOdd(const Frame& frame, Packet& packet, PreparedKey& key) {
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
  batch_->holds_tunnels = true;
  *id = *found;
  return true;
}

}  // namespace weir

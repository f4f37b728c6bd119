// What the flow tracker keeps beside its lines: the batch in hand, and what interim records need.
// Private to engine/flow.
#pragma once

#include <array>

#include "engine/flow/flow_tracker.h"
#include "engine/packet/decoder.h"

namespace weir {

struct FlowTracker::Batch {
  explicit Batch(const DecoderOptions& options) : decoder(options) {}

  std::array<PreparedKey, kBatchFrames> keys;
  std::array<const FlowTable::Group*, kBatchFrames> groups;  // the keys' home groups
  // The last ones are of packets that do not exist, for loops that look ahead.
  static constexpr size_t kMostAhead = 24;
  std::array<uint32_t, kBatchFrames + kMostAhead> guesses;
  bool holds_tunnels = false;  // some key holds a use of a tunnel entry

  // Packets for CountUnlisted.
  std::array<const Packet*, kBatchFrames> unlisted;
  size_t unlisted_count = 0;

  // The packet that an ICMP error quotes.
  Decoder decoder;
  Packet quoted;
  TunnelPath quoted_path;
};

struct FlowTracker::Interval {
  int64_t start_ns = 0;               // flow clock
  std::array<uint64_t, 2> packets{};  // by side, at start_ns
  std::array<uint64_t, 2> bytes{};
  uint64_t number = 0;
};

// Events of single packets: who wants one looks at every packet.
inline constexpr uint32_t kPacketEvents = event_mask::kPackets | event_mask::kSegments;

// FlowCold::lag's unit.
inline constexpr int64_t kLagUnit = int64_t{1} << 34;

constexpr Evicted KindOf(Phase phase, bool answered) {
  if (phase <= Phase::kTcpSynReceived) return Evicted::kHalfOpen;
  if (phase == Phase::kTcpClosed || phase == Phase::kTcpReset) return Evicted::kFinished;
  return answered ? Evicted::kAnswered : Evicted::kUnanswered;
}

// Flows that cost a sender nothing, and that are evicted first: half-open, unanswered and finished
// ones.
inline bool Cheap(const FlowHot& hot) {
  constexpr unsigned kEvenAnswered = [] {  // bits, by phase
    unsigned phases = 0;
    for (unsigned i = 0; i < static_cast<unsigned>(Phase::kCount); ++i) {
      if (KindOf(static_cast<Phase>(i), true) != Evicted::kAnswered) phases |= 1u << i;
    }
    return phases;
  }();
  return (kEvenAnswered >> static_cast<unsigned>(hot.phase) & 1) != 0 ||
         (hot.flags & flow_flag::kAnswered) == 0;
}

}  // namespace weir

// Frames by a profile, one after the other, and the truth about them.
//
//   auto model = TrafficModel::Create(profile);
//   for (;;) {
//     std::span<const Frame> frames = (*model)->Next(64);   // valid until the next call
//     if (frames.empty()) break;
//   }
//   (*model)->truth().flows[7].stream_bytes[0]...
//
// Frames are Ethernet, at least 60 bytes (what a device would fill them up to), without frame check
// sequence; VLAN tags stand in the bytes; all checksums are right. The last four bytes of the
// sender's hardware address are the number of the flow, in both directions.
//
// Thread: one at a time. Memory: the state of the flows that are open, the truth of all (64 bytes
// per flow), and the bytes of the frames of one call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "rings/frame.h"
#include "tools/load/traffic/profile.h"

namespace weir::load {

enum class FlowFate : uint8_t { kOpen, kFin, kRst };

// One flow, as its sender knows it. Index 0: from the initiator.
//
// A direction of a TCP connection reaches as far as the last byte that was sent, or that a FIN says
// was before it. What of it has not come by then (profile.loss, and what is displaced and not yet
// due) is missing: an engine that saw every frame has delivered stream_bytes - missing_bytes, and
// announced, at the latest when the flow ends, holes of missing_bytes. Nothing beyond is ever
// acknowledged.
struct FlowTruth {
  uint64_t wire_bytes[2] = {};     // of all frames, with the link header
  uint64_t stream_bytes[2] = {};   // TCP: different payload bytes, the missing ones included;
                                   // datagrams: payload bytes of all
  uint32_t missing_bytes[2] = {};  // TCP
  uint32_t packets[2] = {};        // frames
  uint8_t protocol = 0;
  FlowFate fate = FlowFate::kOpen;
};

struct Truth {
  uint64_t frames = 0;
  uint64_t wire_bytes = 0;
  std::vector<FlowTruth> flows;  // by number

  // Beside them, one frame each: see flow_identity.h for their numbers, which count from 0 in each
  // kind.
  uint64_t syn_flood = 0;             // flows, from kSynFloodFlow
  uint64_t collision_flood = 0;       // flows, from kCollisionFlow
  uint64_t unfinished_fragments = 0;  // of datagrams that never become whole: of no flow
  uint64_t probes = 0;                // frames of the one flow kProbeFlow, once there is one

  // What was done to the flows' frames.
  uint64_t displaced = 0;   // segments that came later than they should
  uint64_t duplicates = 0;  // frames that repeated the one before
  uint64_t lost = 0;        // segments that were left out
  uint64_t overlaps = 0;    // segments that repeated bytes at their start
  uint64_t fragmented = 0;  // datagrams that came in pieces
};

class TrafficModel {
 public:
  // One packet may become this many frames, which come out of one call.
  static constexpr size_t kLeastCount = 4;

  // Fails where the profile contradicts itself, and says what to change.
  static absl::StatusOr<std::unique_ptr<TrafficModel>> Create(const TrafficProfile& profile);
  ~TrafficModel();
  TrafficModel(const TrafficModel&) = delete;
  TrafficModel& operator=(const TrafficModel&) = delete;

  // The next frames, at most `count` (less than kLeastCount is taken for that), and often a few
  // less; empty at the end. However they are asked for, the frames are the same.
  std::span<const Frame> Next(size_t count);

  // About the frames handed out so far.
  const Truth& truth() const;
  const TrafficProfile& profile() const;
  // Of the longest frame that may come, with the link header.
  uint32_t most_frame_bytes() const;

 private:
  class Impl;
  explicit TrafficModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::load

// The filter stage: what the kernel could not filter.
#pragma once

#include <span>

#include "engine/packet/packet.h"
#include "rings/filter_reason.h"
#include "rings/frame.h"

namespace weir {

// Thread: Apply is called by the shard's thread. An implementation that is changed from elsewhere
// while it runs brings its own publication.
class PacketFilter {
 public:
  virtual ~PacketFilter() = default;

  // Calls Refuse for packets[i] where frames[i] is not wanted. Packets that are filtered already
  // stay as they are. The spans have equal sizes. Called once per batch.
  virtual void Apply(std::span<const Frame> frames, std::span<Packet> packets) = 0;

  static void Refuse(Packet& packet, FilterReason reason = FilterReason::kOther) {
    packet.verdict = Verdict::kFiltered;
    packet.reason = static_cast<uint8_t>(reason);
  }
};

}  // namespace weir

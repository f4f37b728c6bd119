// The filter stage: what the kernel could not filter.
#pragma once

#include <span>

#include "engine/packet/packet.h"
#include "rings/frame.h"

namespace weir {

// Thread: Apply is called by the shard's thread. An implementation that is changed from elsewhere
// while it runs brings its own publication.
class PacketFilter {
 public:
  virtual ~PacketFilter() = default;

  // Sets packets[i].verdict to Verdict::kFiltered where frames[i] is not wanted. Packets that are
  // filtered already stay so. The spans have equal sizes. Called once per batch.
  virtual void Apply(std::span<const Frame> frames, std::span<Packet> packets) = 0;
};

}  // namespace weir

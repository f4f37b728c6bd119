// A source whose ring is in plain memory, and filled by who owns it: memory_source.h,
// umem_source.h. For tests, for benchmarks, and for embedders who already hold their frames.
//
// Thread: the shard's own, Refill included.
#pragma once

#include <cstddef>
#include <span>

#include "rings/frame_source.h"

namespace weir {

class RefilledSource : public FrameSource {
 public:
  // Copies frames, in order, into the ring's free places, and returns how many it took.
  virtual size_t Refill(std::span<const Frame> frames) = 0;
  // No more Refill: the source ends when all frames have been handed out.
  virtual void End() = 0;
};

}  // namespace weir

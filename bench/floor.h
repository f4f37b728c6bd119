// The floor: the least that any engine must do, for comparison in the same run. It walks a
// TPACKET_V3 block, reads each frame's first 64 bytes and updates one prefetched 64-byte line per
// packet, chosen by its flow's number; no parsing, no keys, no comparisons.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/packet/arena.h"
#include "rings/memory_source.h"

namespace weir::bench {

class Floor {
 public:
  explicit Floor(uint32_t flows);

  // Consumes up to one batch of frames, walked by our own code, which asks for lines ahead; returns
  // how many there were.
  int Poll(FrameSource& source);

  // The same on a block, as one would write it: the chain of headers is followed and nothing is
  // asked for ahead. Returns how many frames there were.
  uint32_t WalkPlainly(const uint8_t* block);

  // The update alone, for packets whose flow numbers are known.
  void Update(std::span<const uint32_t> flows);

 private:
  struct alignas(64) Line {
    uint64_t words[8];
  };

  Arena arena_;
  Line* lines_;
};

}  // namespace weir::bench

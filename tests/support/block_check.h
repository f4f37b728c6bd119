// Walks a block that may hold anything, as the fuzz target and the mutation test do.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir::test {

struct WalkedBlock {
  uint64_t frames = 0;
  bool inside = true;  // every frame's bytes lay inside the block
  uint64_t broken = 0;
};

// `block` is aligned to 8 bytes. Frames are taken in batches of `batch` (1 to kBatchFrames), and
// each one's first and last byte is read.
WalkedBlock WalkBlock(const uint8_t* block, size_t block_bytes, int batch);

}  // namespace weir::test

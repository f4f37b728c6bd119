#include "tests/support/block_check.h"

#include <array>
#include <span>

#include "rings/block_walker.h"

namespace weir::test {
namespace {

bool IsInside(const Frame& frame, const uint8_t* block, size_t block_bytes) {
  return frame.data >= block && frame.captured_length <= block_bytes &&
         frame.data - block <= static_cast<ptrdiff_t>(block_bytes - frame.captured_length);
}

}  // namespace

WalkedBlock WalkBlock(const uint8_t* block, size_t block_bytes, int batch) {
  WalkedBlock walked;
  BlockWalker walker;
  std::array<Frame, kBatchFrames> frames;
  volatile uint8_t touched = 0;
  walker.Open(block, block_bytes);
  while (!walker.finished()) {
    const int count = walker.Fill(std::span(frames).first(static_cast<size_t>(batch)), {});
    for (const Frame& frame : std::span(frames).first(static_cast<size_t>(count))) {
      ++walked.frames;
      if (!IsInside(frame, block, block_bytes)) {
        walked.inside = false;
      } else if (frame.captured_length != 0) {
        touched = frame.data[0] ^ frame.data[frame.captured_length - 1];
      }
    }
  }
  (void)touched;
  walked.broken = walker.broken_blocks();
  return walked;
}

}  // namespace weir::test

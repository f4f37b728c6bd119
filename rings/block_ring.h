// A ring of TPACKET_V3 blocks as its reader sees it: which block is ours, which goes back when.
//
// The kernel (or BlockWriter) fills a block, then sets TP_STATUS_USER in its block_status; the
// reader walks it and gives it back with TP_STATUS_KERNEL. Blocks are taken and given back in ring
// order. Used by PacketSource on the kernel's memory and by MemorySource on plain memory.
//
// Thread: the shard's own. Memory: borrowed, it must outlive the ring.
#pragma once

#include <linux/if_packet.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "rings/block_walker.h"
#include "rings/frame_source.h"

namespace weir {

class BlockRing {
 public:
  BlockRing() = default;
  // `memory` starts at a page and holds `count` blocks of `block_bytes` each.
  BlockRing(uint8_t* memory, size_t block_bytes, uint32_t count)
      : memory_(memory), block_bytes_(block_bytes), count_(count) {}

  // FrameSource::Receive.
  int Receive(std::span<Frame> frames, const FrameDefaults& defaults);

  // FrameSource::Release: gives back all blocks that have been walked to their end.
  void Release();

  // True when Receive would hand out a frame, or walk on over an empty block.
  bool ready() const { return !walker_.finished() || BlockReady(); }

  // FrameSource::Fill. Blocks are filled in ring order: the end of those that wait is searched for.
  RingFill Fill() const;

  uint64_t broken_blocks() const { return walker_.broken_blocks(); }

 private:
  uint8_t* Block(uint32_t index) const { return memory_ + index * block_bytes_; }
  std::atomic_ref<uint32_t> Status(uint32_t index) const {
    auto* descriptor = reinterpret_cast<tpacket_block_desc*>(Block(index));
    return std::atomic_ref<uint32_t>(descriptor->hdr.bh1.block_status);
  }
  // Acquire: what the kernel wrote into the block before it set the status is seen after this.
  bool BlockReady() const { return held_ < count_ && Waits(0); }
  bool Waits(uint32_t ahead) const {
    const uint32_t index = current_ + ahead;
    const uint32_t wrapped = index < count_ ? index : index - count_;
    return (Status(wrapped).load(std::memory_order_acquire) & TP_STATUS_USER) != 0;
  }
  bool OpenNext();

  uint8_t* memory_ = nullptr;
  size_t block_bytes_ = 0;
  uint32_t count_ = 0;
  uint32_t current_ = 0;  // the block that is opened next
  uint32_t held_ = 0;     // blocks opened and not given back; they end before current_
  BlockWalker walker_;
};

inline bool BlockRing::OpenNext() {
  if (!BlockReady()) return false;
  walker_.Open(Block(current_), block_bytes_);
  current_ = current_ + 1 == count_ ? 0 : current_ + 1;
  ++held_;
  return true;
}

inline int BlockRing::Receive(std::span<Frame> frames, const FrameDefaults& defaults) {
  size_t filled = 0;
  while (filled < frames.size()) {
    if (walker_.finished() && !OpenNext()) break;
    filled += walker_.Fill(frames.subspan(filled), defaults);
  }
  return static_cast<int>(filled);
}

inline RingFill BlockRing::Fill() const {
  const uint32_t most = count_ - held_;
  uint32_t waiting = 0;  // this many do
  uint32_t beyond = 1;   // the block behind these many may not
  while (beyond <= most && Waits(beyond - 1)) {
    waiting = beyond;
    beyond *= 2;
  }
  beyond = std::min(beyond, most + 1);
  while (waiting + 1 < beyond) {
    const uint32_t middle = waiting + (beyond - waiting) / 2;
    (Waits(middle - 1) ? waiting : beyond) = middle;
  }
  return {held_ + waiting, count_};
}

inline void BlockRing::Release() {
  const uint32_t keep = walker_.finished() ? 0 : 1;
  for (; held_ > keep; --held_) {
    const uint32_t oldest = (current_ + count_ - held_) % count_;
    // Release: all reads of the block are done before the kernel may write it again.
    Status(oldest).store(TP_STATUS_KERNEL, std::memory_order_release);
  }
}

}  // namespace weir

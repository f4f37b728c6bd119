// Lays frames into a TPACKET_V3 block as the kernel does: net/packet/af_packet.c, tpacket_rcv and
// prb_fill_curr_block.
//
// Thread: any one at a time. Memory: borrowed; aligned to 8 bytes. Frames are copied in.
#pragma once

#include <linux/if_packet.h>

#include <cstddef>
#include <cstdint>

#include "rings/frame.h"

namespace weir {

class BlockWriter {
 public:
  // Starts an empty block. `sequence` is the kernel's seq_num, one more for each block of a ring.
  BlockWriter(uint8_t* block, size_t block_bytes, uint64_t sequence);

  // Copies one frame in; false, and nothing is written, when it does not fit. A frame with
  // vlan_tpid has its tag in the metadata only, and its wire_length counts the tag's 4 bytes.
  bool Append(const Frame& frame);

  // Hands the block to the reader (TP_STATUS_USER).
  void Close();

  uint32_t frames() const { return descriptor_->hdr.bh1.num_pkts; }

  // Bytes that a frame takes in a block, and those that a block needs besides its frames.
  static size_t BytesFor(const Frame& frame);
  static size_t OverheadBytes();

 private:
  uint8_t* block_;
  size_t block_bytes_;
  tpacket_block_desc* descriptor_;
  tpacket3_hdr* last_ = nullptr;
  size_t used_;
};

}  // namespace weir

// What the kernel is to an AF_XDP socket, in plain memory: takes free chunks from the fill ring,
// writes frames into them and names them in the receive ring (rings/umem_rings.h).
//
// Ownership: of the rings' memory, not of the chunks. Thread: one.
#pragma once

#include <cstdint>
#include <vector>

#include "rings/frame.h"
#include "rings/umem_rings.h"

namespace weir {

class UmemWriter {
 public:
  // `memory` holds `chunks` of `chunk_bytes`, a power of 2 above kXdpHeadroom; all are free.
  UmemWriter(uint8_t* memory, uint32_t chunks, uint32_t chunk_bytes);
  UmemWriter(const UmemWriter&) = delete;
  UmemWriter& operator=(const UmemWriter&) = delete;

  // The other side, the reader's. Lives as long as this.
  UmemRings& rings() { return rings_; }

  // False: there are not enough free chunks. A frame that is longer than a chunk takes several. The
  // reader sees it after Submit. A tag that the kernel took out of the bytes stands in them again,
  // as AF_XDP has it. At least one byte.
  bool Append(const Frame& frame);
  void Submit();

  // Place of the next frame in the receive ring, and of the next that the reader will take; below
  // ring_size().
  uint32_t next_written() const { return receive_.cached_prod & receive_.mask; }
  uint32_t next_read() const { return rings_.receive.cached_cons & rings_.receive.mask; }
  uint32_t ring_size() const { return receive_.size; }

 private:
  uint32_t chunk_bytes_;
  // Producer and consumer of each ring stand on cache lines of their own.
  struct alignas(64) Index {
    uint32_t value = 0;
  };
  Index fill_produced_, fill_consumed_, receive_produced_, receive_consumed_;
  uint32_t flags_ = 0;  // no driver asks to be woken up
  std::vector<uint64_t> fill_places_;
  std::vector<xdp_desc> receive_places_;
  UmemRings rings_;
  xsk_ring_cons fill_{};
  xsk_ring_prod receive_{};
  uint32_t staged_ = 0;  // pieces since the last Submit
  std::vector<uint8_t> with_tag_;
};

}  // namespace weir

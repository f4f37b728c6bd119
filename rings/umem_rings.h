// The receiving side of an AF_XDP socket as it lies in memory: frames in chunks (UMEM), the fill
// ring that names the free ones, the receive ring that names what came
// (Documentation/networking/af_xdp.rst; <xdp/xsk.h> brings the rings' barriers). Who writes the
// frames is the kernel (xdp_socket.h) or umem_writer.h.
//
// Every chunk is either in the fill ring (the writer's), in the receive ring (a frame, or a piece
// of one, that waits), or handed out. Both rings have room for all chunks, so neither can overflow.
//
// Ownership: of nothing. Thread: the shard's own.
#pragma once

#include <xdp/xsk.h>

#include <cstdint>

namespace weir {

// What the kernel keeps free before each frame, in the chunk: XDP_PACKET_HEADROOM.
inline constexpr uint32_t kXdpHeadroom = 256;

struct UmemRings {
  uint8_t* memory = nullptr;
  xsk_ring_prod fill{};
  xsk_ring_cons receive{};
  uint32_t handed_out = 0;

  // The first `chunks` chunks of the memory are free.
  void FillAll(uint32_t chunks, uint32_t chunk_bytes) {
    uint32_t at = 0;
    xsk_ring_prod__reserve(&fill, chunks, &at);
    for (uint32_t i = 0; i < chunks; ++i)
      *xsk_ring_prod__fill_addr(&fill, at + i) = uint64_t{i} * chunk_bytes;
    xsk_ring_prod__submit(&fill, chunks);
  }

  // Readable descriptors that were not consumed: at most `most`.
  uint32_t Available(uint32_t most) { return xsk_cons_nb_avail(&receive, most); }
  // The i-th of them.
  const xdp_desc& Peek(uint32_t i) const {
    return *xsk_ring_cons__rx_desc(&receive, receive.cached_cons + i);
  }
  // The first `count` are handed out. Their bytes stay until GiveBack.
  void Consume(uint32_t count) {
    receive.cached_cons += count;
    handed_out += count;
  }
  const uint8_t* Bytes(const xdp_desc& piece) const { return memory + piece.addr; }

  // Everything that was handed out goes back to the fill ring.
  void GiveBack() {
    const uint32_t first = receive.cached_cons - handed_out;
    uint32_t at = 0;
    if (xsk_ring_prod__reserve(&fill, handed_out, &at) != handed_out) [[unlikely]]
      return;  // the ring has room for all chunks: a writer that broke its word
    for (uint32_t i = 0; i < handed_out; ++i) {
      // The writer masks the offset that the frame had in its chunk.
      *xsk_ring_prod__fill_addr(&fill, at + i) = xsk_ring_cons__rx_desc(&receive, first + i)->addr;
    }
    xsk_ring_prod__submit(&fill, handed_out);
    xsk_ring_cons__release(&receive, handed_out);
    handed_out = 0;
  }

  bool ready() const {
    // Acquire: whoever reads the descriptors next sees what was written before the index moved on.
    return __atomic_load_n(receive.producer, __ATOMIC_ACQUIRE) != receive.cached_cons;
  }
  // Descriptors that wait, and are handed out.
  uint32_t used() const {
    return __atomic_load_n(receive.producer, __ATOMIC_RELAXED) - receive.cached_cons + handed_out;
  }
};

}  // namespace weir

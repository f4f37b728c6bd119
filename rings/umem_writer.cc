#include "rings/umem_writer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "rings/vlan_tag.h"

// Newer than the kernel headers that may be installed: linux/if_xdp.h.
#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0)  // NOLINT(modernize-macro-to-enum)
#endif

namespace weir {

UmemWriter::UmemWriter(uint8_t* memory, uint32_t chunks, uint32_t chunk_bytes)
    : chunk_bytes_(chunk_bytes),
      fill_places_(std::bit_ceil(chunks)),
      receive_places_(std::bit_ceil(chunks)) {
  const auto size = static_cast<uint32_t>(fill_places_.size());
  const auto connect = [size, this](auto& ring, Index& produced, Index& consumed, void* places) {
    ring.mask = size - 1;
    ring.size = size;
    ring.producer = &produced.value;
    ring.consumer = &consumed.value;
    ring.ring = places;
    ring.flags = &flags_;
  };
  rings_.memory = memory;
  connect(rings_.fill, fill_produced_, fill_consumed_, fill_places_.data());
  connect(fill_, fill_produced_, fill_consumed_, fill_places_.data());
  connect(rings_.receive, receive_produced_, receive_consumed_, receive_places_.data());
  connect(receive_, receive_produced_, receive_consumed_, receive_places_.data());
  // The producers' copy of the other index is ahead of it by the ring: see xsk_prod_nb_free.
  rings_.fill.cached_cons = receive_.cached_cons = size;
  rings_.FillAll(chunks, chunk_bytes);
}

bool UmemWriter::Append(const Frame& given) {
  const Frame frame = given.vlan_tpid == 0 ? given : WithTagInBytes(given, with_tag_);
  const uint32_t room = chunk_bytes_ - kXdpHeadroom;
  const uint32_t pieces = (frame.captured_length + room - 1) / room;
  uint32_t free = xsk_cons_nb_avail(&fill_, pieces);
  if (free < pieces) {
    fill_.cached_prod = __atomic_load_n(fill_.producer, __ATOMIC_ACQUIRE);
    free = fill_.cached_prod - fill_.cached_cons;
  }
  uint32_t at = 0;
  if (free < pieces || xsk_ring_prod__reserve(&receive_, pieces, &at) != pieces) return false;
  for (uint32_t i = 0, done = 0; i < pieces; ++i) {
    const uint64_t place = *xsk_ring_cons__comp_addr(&fill_, fill_.cached_cons + i);
    const uint64_t start = (place & ~(uint64_t{chunk_bytes_} - 1)) + kXdpHeadroom;
    const uint32_t bytes = std::min(room, frame.captured_length - done);
    std::memcpy(rings_.memory + start, frame.data + done, bytes);
    done += bytes;
    *xsk_ring_prod__tx_desc(&receive_, at + i) = {
        .addr = start, .len = bytes, .options = i + 1 < pieces ? uint32_t{XDP_PKT_CONTD} : 0};
  }
  fill_.cached_cons += pieces;
  xsk_ring_cons__release(&fill_, pieces);
  staged_ += pieces;
  return true;
}

void UmemWriter::Submit() {
  xsk_ring_prod__submit(&receive_, staged_);
  staged_ = 0;
}

}  // namespace weir

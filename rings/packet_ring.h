// The memory that a packet socket shares with its reader: TPACKET_V3 blocks (packet(7),
// PACKET_RX_RING; packet_mmap.rst).
//
// Cold path. Ownership: the mapping is freed with the object; the socket is borrowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weir {

struct RingGeometry {
  size_t ring_bytes = size_t{32} << 20;
  size_t block_bytes = size_t{256} << 10;
  uint32_t retire_ms =
      4;  // a block that is not full is handed over after this; 0: kernel's default
};

// Says what is wrong with a geometry: a block must hold a frame of 64 KiB, in whole pages, and
// there must be two of them.
absl::Status CheckGeometry(const RingGeometry& geometry);

class PacketRing {
 public:
  // Makes the ring of socket `fd`. Where the kernel has no memory for it, tries half the blocks,
  // and so on down to two; where it may not be locked, leaves it unlocked. Adds what it did to
  // `notes`.
  static absl::StatusOr<PacketRing> Create(int fd, const RingGeometry& geometry,
                                           std::vector<std::string>* notes);
  PacketRing() = default;
  PacketRing(PacketRing&& other) noexcept;
  PacketRing& operator=(PacketRing&& other) noexcept;
  ~PacketRing();

  uint8_t* memory() const { return memory_; }
  size_t block_bytes() const { return block_bytes_; }
  uint32_t block_count() const { return block_count_; }
  size_t bytes() const { return block_bytes_ * block_count_; }

 private:
  uint8_t* memory_ = nullptr;
  size_t block_bytes_ = 0;
  uint32_t block_count_ = 0;
};

}  // namespace weir

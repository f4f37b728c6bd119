#include "rings/transmit_ring.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace weir {

absl::StatusOr<TransmitRing> TransmitRing::Create(int fd, uint32_t frame_bytes, uint32_t slots) {
  constexpr uint32_t kBlockBytes = 64 << 10;  // whole pages, a small order of them
  const int version = TPACKET_V2;
  if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0) {
    return absl::ErrnoToStatus(errno, "the kernel has no TPACKET_V2");
  }
  tpacket_req request{};
  request.tp_frame_size = std::bit_ceil(frame_bytes + static_cast<uint32_t>(TPACKET2_HDRLEN));
  request.tp_block_size = std::max(kBlockBytes, request.tp_frame_size);
  const uint32_t per_block = request.tp_block_size / request.tp_frame_size;
  request.tp_block_nr = (slots + per_block - 1) / per_block;
  request.tp_frame_nr = request.tp_block_nr * per_block;
  const size_t bytes = size_t{request.tp_block_size} * request.tp_block_nr;
  if (setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &request, sizeof request) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrFormat("the kernel refuses a transmit ring of %u MiB", bytes >> 20));
  }
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    return absl::ErrnoToStatus(
        errno, absl::StrFormat("cannot map the transmit ring of %u MiB", bytes >> 20));
  }
  TransmitRing ring;
  ring.memory_ = static_cast<uint8_t*>(memory);
  ring.slot_bytes_ = request.tp_frame_size;
  ring.slots_ = request.tp_frame_nr;
  return ring;
}

bool TransmitRing::empty() const {
  for (uint32_t i = 0; i < slots_; ++i) {
    if ((Status(i) & (TP_STATUS_SEND_REQUEST | TP_STATUS_SENDING)) != 0) return false;
  }
  return true;
}

TransmitRing::TransmitRing(TransmitRing&& other) noexcept { *this = std::move(other); }

TransmitRing& TransmitRing::operator=(TransmitRing&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(slot_bytes_, other.slot_bytes_);
  std::swap(slots_, other.slots_);
  std::swap(head_, other.head_);
  std::swap(staged_, other.staged_);
  std::swap(next_, other.next_);
  std::swap(malformed_, other.malformed_);
  return *this;
}

TransmitRing::~TransmitRing() {
  if (memory_ != nullptr) munmap(memory_, slot_bytes_ * slots_);
}

}  // namespace weir

// The memory that a packet socket shares with the kernel to send: TPACKET_V2 slots (packet(7),
// PACKET_TX_RING; packet_mmap.rst). A slot is ours until it is handed over, and again when the
// kernel has marked it available.
//
// A device that lets go of a frame before it is read (a veth does: the slot is free while the other
// end still holds the page) reads what the slot bears later. So the ring must be longer than the
// queues on the way: kMostQueued.
//
// Thread: one. Ownership: the mapping is freed with the object; the socket is borrowed.
#pragma once

#include <linux/if_packet.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"

namespace weir {

class TransmitRing {
 public:
  // Frames that wait on a processor (net.core.netdev_max_backlog, 1000) or in a veth (256), and
  // twice that for good measure.
  static constexpr uint32_t kMostQueued = 2560;

  // A ring of `slots` frames of at most `frame_bytes` for socket `fd`.
  static absl::StatusOr<TransmitRing> Create(int fd, uint32_t frame_bytes, uint32_t slots);
  TransmitRing() = default;
  TransmitRing(TransmitRing&& other) noexcept;
  TransmitRing& operator=(TransmitRing&& other) noexcept;
  ~TransmitRing();

  // Room for one more frame behind those staged. Null: the kernel still has that slot.
  uint8_t* Room();
  // The frame in Room() is `length` bytes long, and will leave with the next HandOver.
  void Stage(uint32_t length);
  // The staged frames are the kernel's, in order; send(2) makes it look.
  void HandOver();

  // The kernel has not begun with all that it was handed.
  bool waits() const { return slots_ != 0 && Status(Before(head_)) == TP_STATUS_SEND_REQUEST; }
  // It has let go of everything.
  bool empty() const;
  // Frames that it found to be malformed: they were not sent.
  uint64_t malformed() const { return malformed_; }

 private:
  tpacket2_hdr* Slot(uint32_t index) const {
    return reinterpret_cast<tpacket2_hdr*>(memory_ + size_t{index} * slot_bytes_);
  }
  // Acquire: whoever fills the slot next does so after the kernel has let go of it.
  uint32_t Status(uint32_t index) const {
    return std::atomic_ref(Slot(index)->tp_status).load(std::memory_order_acquire);
  }
  uint32_t After(uint32_t index) const { return index + 1 < slots_ ? index + 1 : 0; }
  uint32_t Before(uint32_t index) const { return index != 0 ? index - 1 : slots_ - 1; }

  uint8_t* memory_ = nullptr;
  size_t slot_bytes_ = 0;
  uint32_t slots_ = 0;
  uint32_t head_ = 0;    // first slot that is not handed over
  uint32_t staged_ = 0;  // slots from there on that hold a frame
  uint32_t next_ = 0;    // head_ + staged_, wrapped
  uint64_t malformed_ = 0;
};

// The frame's bytes follow the header: SOCK_RAW, no PACKET_TX_HAS_OFF.
inline constexpr size_t kTransmitHeaderBytes = TPACKET_ALIGN(sizeof(tpacket2_hdr));

inline uint8_t* TransmitRing::Room() {
  if (staged_ == slots_) return nullptr;
  const uint32_t status = Status(next_);
  if (status != TP_STATUS_AVAILABLE) [[unlikely]] {
    // Sent off already, with a time stamp that was not asked for, or malformed.
    if ((status & (TP_STATUS_SEND_REQUEST | TP_STATUS_SENDING)) != 0) return nullptr;
    malformed_ += (status & TP_STATUS_WRONG_FORMAT) != 0 ? 1 : 0;
  }
  return memory_ + size_t{next_} * slot_bytes_ + kTransmitHeaderBytes;
}

inline void TransmitRing::Stage(uint32_t length) {
  Slot(next_)->tp_len = length;
  next_ = After(next_);
  ++staged_;
}

inline void TransmitRing::HandOver() {
  for (; staged_ != 0; --staged_) {
    // Release: the kernel sees the frame before it sees that the slot is its own.
    std::atomic_ref(Slot(head_)->tp_status)
        .store(TP_STATUS_SEND_REQUEST, std::memory_order_release);
    head_ = After(head_);
  }
}

}  // namespace weir

// An AF_XDP socket of one receive queue, with the memory that it shares with the kernel (UMEM) and
// its rings: Documentation/networking/af_xdp.rst; <xdp/xsk.h> brings the system calls and the
// rings' barriers.
//
// Every chunk of the memory is either in the fill ring (the kernel may write to it), in the receive
// ring (a frame, or a piece of one, that waits), or handed out. Both rings have room for all
// chunks, so neither can overflow: what the kernel has no room for it drops because the fill ring
// is empty.
//
// Thread: Open on any one (the network namespace is that thread's); the rest on the shard's own.
#pragma once

#include <linux/if_xdp.h>
#include <xdp/xsk.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/huge_memory.h"

namespace weir {

struct XdpSocketOptions {
  std::string interface;
  uint32_t queue = 0;
  size_t ring_bytes = size_t{32} << 20;  // of the memory; the rings themselves come on top
  uint32_t chunk_bytes = 4096;           // power of 2, from 2048 up to a page
  bool zero_copy = false;                // else the kernel copies
  bool pieces = true;                    // frames longer than a chunk come in several: Linux 6.6
  uint32_t busy_poll_us = 0;       // 0: interrupts only. Else SO_PREFER_BUSY_POLL, SO_BUSY_POLL
  uint32_t busy_poll_budget = 64;  // frames that one poll may take in: SO_BUSY_POLL_BUDGET
};

// What the kernel keeps free before each frame, in the chunk: XDP_PACKET_HEADROOM.
inline constexpr uint32_t kXdpHeadroom = 256;

class XdpSocket {
 public:
  // Where another owner has just let go of the queue the kernel says EBUSY for a moment: tried
  // again for half a second.
  static absl::StatusOr<std::unique_ptr<XdpSocket>> Open(const XdpSocketOptions& options);
  ~XdpSocket();
  XdpSocket(const XdpSocket&) = delete;
  XdpSocket& operator=(const XdpSocket&) = delete;

  int fd() const { return xsk_socket__fd(socket_); }
  uint32_t queue() const { return options_.queue; }
  uint32_t chunks() const { return chunks_; }
  HugeMemory::Pages pages() const { return memory_.pages(); }
  bool zero_copy() const { return zero_copy_; }  // as the kernel reports it: XDP_OPTIONS

  // Readable descriptors that were not consumed: at most `most`.
  uint32_t Available(uint32_t most) { return xsk_cons_nb_avail(&receive_, most); }
  // The i-th of them.
  const xdp_desc& Peek(uint32_t i) const {
    return *xsk_ring_cons__rx_desc(&receive_, receive_.cached_cons + i);
  }
  // The first `count` are handed out. Their bytes stay until GiveBack.
  void Consume(uint32_t count) {
    receive_.cached_cons += count;
    handed_out_ += count;
  }
  const uint8_t* Bytes(const xdp_desc& piece) const { return memory_.data() + piece.addr; }

  // Everything that was handed out goes back to the fill ring.
  void GiveBack();
  uint32_t handed_out() const { return handed_out_; }

  bool ready() const {
    // Acquire: whoever reads the descriptors next sees what the kernel wrote before it moved the
    // index on.
    return __atomic_load_n(receive_.producer, __ATOMIC_ACQUIRE) != receive_.cached_cons;
  }
  // Descriptors that wait, and are handed out.
  uint32_t used() const {
    return __atomic_load_n(receive_.producer, __ATOMIC_RELAXED) - receive_.cached_cons +
           handed_out_;
  }

  // The ring is empty and nobody will look at it for a while: where the driver waits for a sign
  // that the fill ring has chunks again (need-wakeup) it is given, and with busy polling the device
  // is looked at. A system call only where it is due.
  void BeforeSleep();

  // Totals of this socket's: XDP_STATISTICS.
  absl::StatusOr<xdp_statistics> Statistics() const;

 private:
  explicit XdpSocket(const XdpSocketOptions& options) : options_(options) {}
  int Start();  // errno
  void End();
  void Kick() const;

  XdpSocketOptions options_;
  uint32_t chunks_ = 0;
  bool zero_copy_ = false;
  HugeMemory memory_;
  xsk_umem* umem_ = nullptr;
  xsk_socket* socket_ = nullptr;
  xsk_ring_prod fill_{};
  xsk_ring_cons completion_{};  // of sending: unused, but the kernel wants it
  xsk_ring_cons receive_{};
  uint32_t handed_out_ = 0;
};

inline void XdpSocket::GiveBack() {
  if (handed_out_ == 0) return;
  const uint32_t first = receive_.cached_cons - handed_out_;
  uint32_t at = 0;
  if (xsk_ring_prod__reserve(&fill_, handed_out_, &at) != handed_out_) [[unlikely]]
    return;  // the ring has room for all chunks: a kernel that broke its word
  for (uint32_t i = 0; i < handed_out_; ++i) {
    // The kernel masks the offset that the frame had in its chunk.
    *xsk_ring_prod__fill_addr(&fill_, at + i) = xsk_ring_cons__rx_desc(&receive_, first + i)->addr;
  }
  xsk_ring_prod__submit(&fill_, handed_out_);
  xsk_ring_cons__release(&receive_, handed_out_);
  handed_out_ = 0;
  if (xsk_ring_prod__needs_wakeup(&fill_)) [[unlikely]]
    Kick();
}

}  // namespace weir

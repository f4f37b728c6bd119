// An AF_XDP socket of one receive queue, with the memory that it shares with the kernel and its
// rings (umem_rings.h): Documentation/networking/af_xdp.rst; <xdp/xsk.h> brings the system calls.
//
// What the kernel has no room for it drops because the fill ring is empty.
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
#include "rings/umem_rings.h"

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

  UmemRings& rings() { return rings_; }
  const UmemRings& rings() const { return rings_; }
  // UmemRings::GiveBack, and a sign to the driver where it waits for one.
  void GiveBack() {
    if (rings_.handed_out == 0) return;
    rings_.GiveBack();
    if (xsk_ring_prod__needs_wakeup(&rings_.fill)) [[unlikely]]
      Kick();
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
  UmemRings rings_;
  xsk_ring_cons completion_{};  // of sending: unused, but the kernel wants it
};

}  // namespace weir

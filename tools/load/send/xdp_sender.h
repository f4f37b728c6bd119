// Sends by an AF_XDP socket: frames in memory of ours (UMEM), a transmit ring that names them, a
// completion ring that gives them back (Documentation/networking/af_xdp.rst). Zero-copy where the
// driver has it, else the kernel copies. It receives nothing and needs no XDP program.
#pragma once

#include <xdp/xsk.h>

#include "rings/huge_memory.h"
#include "tools/load/send/batch_sender.h"

namespace weir::load {

class XdpSender final : public BatchSender {
 public:
  static absl::StatusOr<std::unique_ptr<FrameSender>> Open(const SendOptions& options,
                                                           LinkQuery link);
  ~XdpSender() override;

 private:
  XdpSender(const SendOptions& options, LinkQuery link);

  absl::Status Start();

  uint8_t* Room(uint32_t length) override;
  absl::Status Leave(uint32_t frames, const Pacer::Place& place,
                     std::span<uint8_t* const> probes) override;
  absl::Status WaitForLast() override;

  void TakeBack();      // what the kernel is done with
  absl::Status Kick();  // makes it look at the transmit ring
  absl::Status Push();  // until it has begun with everything
  template <typename Done>
  absl::Status KickUntil(const Done& done);
  absl::Status WaitUntilFree(uint32_t chunks);

  uint32_t chunk_bytes_;
  HugeMemory memory_;
  std::vector<uint64_t> free_;   // offsets of chunks
  std::vector<xdp_desc> batch_;  // staged frames
  xsk_umem* umem_ = nullptr;
  xsk_socket* socket_ = nullptr;
  xsk_ring_prod fill_{};  // unused, but the kernel wants it
  xsk_ring_cons completion_{};
  xsk_ring_prod transmit_{};
};

}  // namespace weir::load

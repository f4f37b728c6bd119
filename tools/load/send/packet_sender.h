// Sends by the transmit ring of a packet socket: rings/transmit_ring.h. Works on every interface
// that the kernel can send on; frames may be as long as its MTU lets them.
#pragma once

#include "rings/transmit_ring.h"
#include "rings/unique_fd.h"
#include "tools/load/send/batch_sender.h"

namespace weir::load {

class PacketSender final : public BatchSender {
 public:
  static absl::StatusOr<std::unique_ptr<FrameSender>> Open(const SendOptions& options,
                                                           LinkQuery link, int interface_index);

 private:
  PacketSender(const SendOptions& options, LinkQuery link)
      : BatchSender(options, std::move(link)) {}

  uint8_t* Room(uint32_t length) override;
  absl::Status Leave(uint32_t frames, const Pacer::Place& place,
                     std::span<uint8_t* const> probes) override;
  absl::Status WaitForLast() override;

  uint8_t* WaitForRoom();
  absl::Status Kick();
  absl::Status Push();  // until the kernel has begun with everything

  UniqueFd fd_;
  TransmitRing ring_;
};

}  // namespace weir::load

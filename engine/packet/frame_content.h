// What counts as the content of a frame when copies are looked for: its captured bytes, without
// those that may differ between copies, and the VLAN tag that the kernel took out of them. As a
// 128-bit hash.
//
// Thread: one (a masked header is put together in a buffer of the object).
#pragma once

#include <cstdint>

#include "engine/packet/dedup.h"
#include "engine/packet/packet.h"
#include "engine/packet/wide_hash.h"
#include "rings/frame.h"

namespace weir {

class FrameContent {
 public:
  // `ignore`: dedup_ignore. Cooked captures (SLL, SLL2) note in their header how the frame passed
  // the host; with `any_direction` that does not count.
  FrameContent(uint64_t seed, uint8_t ignore, bool any_direction);

  // The offsets in `packet` tell where the innermost IP header is; without (source null) only the
  // link header can be masked.
  Hash128 Hash(const Frame& frame, const Packet& packet) {
    const bool plain = ignore_ == 0 && !(any_direction_ && IsCooked(frame));
    const Hash128 hash =
        plain ? hash_(frame.data, frame.captured_length) : MaskedHash(frame, packet);
    return frame.vlan_tpid == 0 || Ignores(dedup_ignore::kVlan) ? hash : WithTag(hash, frame);
  }

 private:
  // Everything that is masked lies in front of this; behind it a header counts as it is.
  static constexpr uint32_t kLongestHeader = 512;

  static bool IsCooked(const Frame& frame) {
    return frame.link_type == link_type::kLinuxSll || frame.link_type == link_type::kLinuxSll2;
  }
  bool Ignores(uint8_t what) const { return (ignore_ & what) != 0; }
  Hash128 MaskedHash(const Frame& frame, const Packet& packet);
  static Hash128 WithTag(const Hash128& hash, const Frame& frame);
  void MaskIp(uint32_t offset, uint32_t end);
  void MaskTransport(const Packet& packet, uint32_t end);

  WideHash hash_;
  uint8_t ignore_;
  bool any_direction_;
  uint8_t header_[kLongestHeader];
};

}  // namespace weir

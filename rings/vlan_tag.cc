#include "rings/vlan_tag.h"

#include <cstring>

namespace weir {
namespace {

constexpr uint32_t kTagBytes = 4;

// The EtherType's place: IEEE 802.3 section 3.1.1; LINKTYPE_LINUX_SLL. 0 = not in this link type.
uint32_t TypeOffset(uint16_t link_type) {
  if (link_type == link_type::kEthernet) return 12;
  if (link_type == link_type::kLinuxSll) return 14;
  return 0;
}

}  // namespace

Frame WithTagInBytes(const Frame& frame, std::vector<uint8_t>& room) {
  const uint32_t offset = TypeOffset(frame.link_type);
  if (frame.vlan_tpid == 0 || offset == 0 || frame.captured_length < offset + 2) return frame;
  const uint8_t tag[kTagBytes] = {
      static_cast<uint8_t>(frame.vlan_tpid >> 8), static_cast<uint8_t>(frame.vlan_tpid),
      static_cast<uint8_t>(frame.vlan_tci >> 8), static_cast<uint8_t>(frame.vlan_tci)};
  room.resize(frame.captured_length + kTagBytes);
  std::memcpy(room.data(), frame.data, offset);
  std::memcpy(room.data() + offset, tag, kTagBytes);
  std::memcpy(room.data() + offset + kTagBytes, frame.data + offset,
              frame.captured_length - offset);
  Frame tagged = frame;
  tagged.data = room.data();
  tagged.captured_length += kTagBytes;
  tagged.vlan_tpid = tagged.vlan_tci = 0;
  return tagged;
}

}  // namespace weir

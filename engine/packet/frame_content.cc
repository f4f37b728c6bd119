#include "engine/packet/frame_content.h"

#include <algorithm>
#include <cstring>

namespace weir {
namespace {

// The link header as far as masks need it: where the addresses end, where the tags, and what
// follows.
struct Link {
  uint32_t addresses_end = 0;  // also where the first tag starts
  uint32_t tags_end = 0;
  uint16_t ether_type = 0;  // 0 = not known
};

uint16_t Load16(const uint8_t* data) { return static_cast<uint16_t>(data[0] << 8 | data[1]); }

bool IsTag(uint16_t ether_type) {
  return ether_type == 0x8100 || ether_type == 0x88a8 || ether_type == 0x9100 ||
         ether_type == 0x9200;
}

// Ethernet and SLL, whose tags stand before the EtherType; SLL2's stands in front, and its tags
// behind the header.
Link ParseLink(const Frame& frame) {
  Link link;
  uint32_t at = 0;
  switch (frame.link_type) {
    case link_type::kEthernet:
      at = 12;
      break;
    case link_type::kLinuxSll:
      at = 14;
      break;
    case link_type::kLinuxSll2:
      link.addresses_end = link.tags_end = std::min(frame.captured_length, 20u);
      if (frame.captured_length >= 20) link.ether_type = Load16(frame.data);
      return link;
    default:
      return link;
  }
  link.addresses_end = link.tags_end = std::min(frame.captured_length, at);
  if (frame.captured_length < at + 2) return link;
  link.ether_type = Load16(frame.data + at);
  while (IsTag(link.ether_type) && at + 6 <= frame.captured_length) {
    at += 4;
    link.ether_type = Load16(frame.data + at);
  }
  link.tags_end = at;
  return link;
}

uint32_t OuterIpOffset(const Frame& frame, const Link& link) {
  if (link.ether_type != 0x0800 && link.ether_type != 0x86dd) return 0;
  return frame.link_type == link_type::kLinuxSll2 ? link.tags_end : link.tags_end + 2;
}

// Where the checksum stands in a transport header; 0 = there is none.
uint32_t ChecksumOffset(uint8_t protocol) {
  switch (protocol) {
    case ip_protocol::kTcp:
      return 16;
    case ip_protocol::kUdp:
      return 6;
    case ip_protocol::kIcmp:
    case ip_protocol::kIcmpv6:
      return 2;
    case ip_protocol::kSctp:
      return 8;
    default:
      return 0;
  }
}

}  // namespace

FrameContent::FrameContent(uint64_t seed, uint8_t ignore, bool any_direction)
    : hash_(seed), ignore_(ignore), any_direction_(any_direction) {}

Hash128 FrameContent::WithTag(const Hash128& hash, const Frame& frame) {
  const uint64_t tag = (uint64_t{frame.vlan_tpid} << 16 | frame.vlan_tci) * 0x9e3779b97f4a7c15;
  return {hash.low ^ tag, hash.high ^ (tag << 32 | tag >> 32)};
}

void FrameContent::MaskIp(uint32_t offset, uint32_t end) {
  if (offset + 20 > end) return;
  uint8_t* ip = header_ + offset;
  if (ip[0] >> 4 == 6) {
    if (Ignores(dedup_ignore::kTtl)) ip[7] = 0;
  } else if (ip[0] >> 4 == 4) {
    if (Ignores(dedup_ignore::kTtl)) ip[8] = 0;
    if (Ignores(dedup_ignore::kTtl | dedup_ignore::kChecksum)) ip[10] = ip[11] = 0;
  }
}

void FrameContent::MaskTransport(const Packet& packet, uint32_t end) {
  if (packet.transport_offset <= packet.ip_offset) return;
  if ((packet.flags & packet_flag::kFragment) != 0 && packet.fragment_offset != 0) return;
  const uint32_t at = ChecksumOffset(packet.protocol);
  if (at == 0 || packet.transport_offset + at + 2 > end) return;
  const uint32_t bytes = packet.protocol == ip_protocol::kSctp ? 4 : 2;
  std::memset(header_ + packet.transport_offset + at, 0,
              std::min(bytes, end - packet.transport_offset - at));
}

// The header is copied, masked and shortened by what is left out; the rest is hashed where it lies.
Hash128 FrameContent::MaskedHash(const Frame& frame, const Packet& packet) {
  const uint32_t end = std::min(frame.captured_length, kLongestHeader);
  std::memcpy(header_, frame.data, end);
  const Link link = ParseLink(frame);
  if (Ignores(dedup_ignore::kTtl | dedup_ignore::kChecksum)) {
    if (const uint32_t outer = OuterIpOffset(frame, link); outer != 0) MaskIp(outer, end);
    if (packet.source != nullptr) MaskIp(packet.ip_offset, end);
  }
  if (Ignores(dedup_ignore::kChecksum) && packet.source != nullptr) MaskTransport(packet, end);
  if (any_direction_ && frame.link_type == link_type::kLinuxSll && end >= 2) {
    header_[0] = header_[1] = 0;
  }
  if (any_direction_ && frame.link_type == link_type::kLinuxSll2 && end >= 11) header_[10] = 0;

  uint32_t start = std::min(link.tags_end, end);
  const uint32_t addresses_end = std::min(link.addresses_end, end);
  if (!Ignores(dedup_ignore::kVlan)) start = addresses_end;
  if (!Ignores(dedup_ignore::kMac)) {
    std::memmove(header_ + start - addresses_end, header_, addresses_end);
    start -= addresses_end;
  }
  const Hash128 parts[2] = {hash_(header_ + start, end - start),
                            hash_(frame.data + end, frame.captured_length - end)};
  return hash_(reinterpret_cast<const uint8_t*>(parts), sizeof parts);
}

}  // namespace weir

#include "rings/block_writer.h"

#include <arpa/inet.h>
#include <net/if_arp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "rings/block_walker.h"

namespace weir {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr uint32_t kEthernetHeaderBytes = 14;
constexpr uint32_t kTagBytes = 4;

size_t AlignUp(size_t bytes) {
  return (bytes + BlockWalker::kAlignment - 1) & ~size_t{BlockWalker::kAlignment - 1};
}

// Where the network header starts: aligned to 16, with room for a link header of 16 bytes.
uint16_t NetworkOffset() { return TPACKET_ALIGN(TPACKET3_HDRLEN + 16); }

uint16_t MacOffset(const Frame& frame) {
  const bool ethernet = frame.link_type == link_type::kEthernet;
  return static_cast<uint16_t>(NetworkOffset() - (ethernet ? kEthernetHeaderBytes : 0));
}

uint8_t PacketType(FrameDirection direction) {
  constexpr uint8_t kNone = 0xff;
  return direction == FrameDirection::kUnknown ? kNone : static_cast<uint8_t>(direction) - 1;
}

uint32_t StatusOf(const Frame& frame) {
  uint32_t status = TP_STATUS_USER | TP_STATUS_TS_SOFTWARE;
  if (frame.vlan_tpid != 0) status |= TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID;
  if (frame.checksum == ChecksumStatus::kValid) status |= TP_STATUS_CSUM_VALID;
  if (frame.checksum == ChecksumStatus::kNotReady) status |= TP_STATUS_CSUMNOTREADY;
  return status;
}

sockaddr_ll AddressOf(const Frame& frame) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = frame.interface_index + 1;
  address.sll_pkttype = PacketType(frame.direction);
  address.sll_hatype = ARPHRD_NONE;
  if (frame.link_type != link_type::kEthernet || frame.captured_length < kEthernetHeaderBytes) {
    return address;
  }
  address.sll_hatype = ARPHRD_ETHER;
  address.sll_halen = 6;
  std::memcpy(address.sll_addr, frame.data + 6, 6);
  std::memcpy(&address.sll_protocol, frame.data + 12, 2);
  return address;
}

tpacket3_hdr HeaderOf(const Frame& frame) {
  tpacket3_hdr header{};
  header.tp_sec = static_cast<uint32_t>(frame.timestamp_ns / kNanosecondsPerSecond);
  header.tp_nsec = static_cast<uint32_t>(frame.timestamp_ns % kNanosecondsPerSecond);
  header.tp_snaplen = frame.captured_length;
  header.tp_len = frame.wire_length - (frame.vlan_tpid != 0 ? kTagBytes : 0);
  header.tp_status = StatusOf(frame);
  header.tp_mac = MacOffset(frame);
  header.tp_net = NetworkOffset();
  header.hv1.tp_vlan_tci = frame.vlan_tci;
  header.hv1.tp_vlan_tpid = frame.vlan_tpid;
  return header;
}

}  // namespace

size_t BlockWriter::BytesFor(const Frame& frame) {
  return AlignUp(MacOffset(frame) + frame.captured_length);
}

size_t BlockWriter::OverheadBytes() { return AlignUp(sizeof(tpacket_block_desc)); }

BlockWriter::BlockWriter(uint8_t* block, size_t block_bytes, uint64_t sequence)
    : block_(block),
      block_bytes_(block_bytes),
      descriptor_(reinterpret_cast<tpacket_block_desc*>(block)),
      used_(OverheadBytes()) {
  tpacket_block_desc start{};
  start.version = TPACKET_V3;
  start.offset_to_priv = static_cast<uint32_t>(used_);
  start.hdr.bh1.offset_to_first_pkt = static_cast<uint32_t>(used_);
  start.hdr.bh1.blk_len = static_cast<uint32_t>(used_);
  start.hdr.bh1.seq_num = sequence;
  *descriptor_ = start;
}

bool BlockWriter::Append(const Frame& frame) {
  const size_t bytes = BytesFor(frame);
  if (used_ + bytes > block_bytes_) return false;
  uint8_t* at = block_ + used_;
  auto* header = reinterpret_cast<tpacket3_hdr*>(at);
  *header = HeaderOf(frame);
  header->tp_next_offset = static_cast<uint32_t>(bytes);
  *reinterpret_cast<sockaddr_ll*>(at + BlockWalker::kAddressOffset) = AddressOf(frame);
  if (frame.captured_length != 0) {
    std::memcpy(at + header->tp_mac, frame.data, frame.captured_length);
  }
  tpacket_hdr_v1& block = descriptor_->hdr.bh1;
  if (block.num_pkts == 0) block.ts_first_pkt = {header->tp_sec, {header->tp_nsec}};
  block.ts_last_pkt = {header->tp_sec, {header->tp_nsec}};
  ++block.num_pkts;
  used_ += bytes;
  block.blk_len = static_cast<uint32_t>(used_);
  last_ = header;
  return true;
}

void BlockWriter::Close() {
  if (last_ != nullptr) last_->tp_next_offset = 0;
  // Release: the reader that sees the status sees the whole block.
  std::atomic_ref<uint32_t>(descriptor_->hdr.bh1.block_status)
      .store(TP_STATUS_USER, std::memory_order_release);
}

}  // namespace weir

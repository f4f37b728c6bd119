// A frame as a source hands it out, and the batch that carries frames through the stages.
//
// Ownership: a Frame borrows its bytes from the ring, file buffer or block it came from; they are
// valid until FrameSource::Release. Thread: the shard's own. Nothing here allocates.
#pragma once

#include <cstdint>

namespace weir {

// Most frames that one call of FrameSource::Receive hands out, and that a stage sees at once.
inline constexpr int kBatchFrames = 64;

// How a frame passed the host, in the words of packet(7): sll_pkttype.
enum class FrameDirection : uint8_t {
  kUnknown,    // a capture file that does not say
  kHost,       // addressed to this host
  kBroadcast,  // link-layer broadcast
  kMulticast,  // link-layer multicast
  kOtherHost,  // to another host, caught in promiscuous mode
  kOutgoing,   // sent by this host, looped back to the packet socket
};

// What the kernel knows of the transport checksum: packet(7), TP_STATUS_CSUM_VALID and
// TP_STATUS_CSUMNOTREADY.
enum class ChecksumStatus : uint8_t {
  kUnknown,
  kValid,
  kNotReady,  // sent locally; the checksum would have been filled in by the device
};

// Link types are LINKTYPE_ values as pcap files carry them: pcap-linktype(7),
// https://www.tcpdump.org/linktypes.html. Only those that the decoder knows have a name here.
namespace link_type {
inline constexpr uint16_t kNull = 0;
inline constexpr uint16_t kEthernet = 1;
inline constexpr uint16_t kPpp = 9;
inline constexpr uint16_t kFddi = 10;
inline constexpr uint16_t kRawBsd = 12;      // DLT_RAW where it was written as it is
inline constexpr uint16_t kRawOpenBsd = 14;  // likewise, OpenBSD's
inline constexpr uint16_t kPppHdlc = 50;
inline constexpr uint16_t kPppEther = 51;
inline constexpr uint16_t kRaw = 101;
inline constexpr uint16_t kCiscoHdlc = 104;
inline constexpr uint16_t kIeee80211 = 105;
inline constexpr uint16_t kFrameRelay = 107;
inline constexpr uint16_t kLoop = 108;
inline constexpr uint16_t kLinuxSll = 113;
inline constexpr uint16_t kRadiotap = 127;
inline constexpr uint16_t kPpi = 192;
inline constexpr uint16_t kIpv4 = 228;
inline constexpr uint16_t kIpv6 = 229;
inline constexpr uint16_t kLinuxSll2 = 276;
}  // namespace link_type

struct Frame {
  const uint8_t* data = nullptr;  // captured bytes, starting with the link header
  int64_t timestamp_ns = 0;       // nanoseconds since the Unix epoch, UTC
  uint32_t captured_length = 0;   // bytes at `data`
  uint32_t wire_length = 0;  // bytes on the wire with the link header, a stripped VLAN tag included
  uint16_t vlan_tpid = 0;    // tag that the kernel took out of the bytes; 0 = none was taken out
  uint16_t vlan_tci = 0;     // its priority, DEI and VLAN id, host order
  uint16_t link_type = link_type::kEthernet;
  uint16_t interface_index = 0;  // into FrameSource::interfaces()
  FrameDirection direction = FrameDirection::kUnknown;
  ChecksumStatus checksum = ChecksumStatus::kUnknown;
};

static_assert(sizeof(Frame) == 40, "a frame is written and read once per packet: keep it small");

}  // namespace weir

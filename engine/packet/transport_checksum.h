// The transport checksum: TCP (RFC 9293 section 3.1), UDP (RFC 768), ICMP (RFC 792), ICMPv6
// (RFC 4443 section 2.3), with the pseudo header of RFC 8200 section 8.1.
//
// The kernel is trusted as far as it speaks (Frame::checksum):
//   kNotReady  the device would have filled the checksum in: nothing is ever wrong
//   kValid     the packet's checksum was found right, and is not computed again. It speaks of the
//              first checksum in the frame and of this frame alone (skbuff.h, "csum_level", which
//              packet(7) does not tell); so packets inside a tunnel and those that were put
//              together from fragments are verified all the same
//   kUnknown   verified here
//
// Thread: any. Nothing is kept.
#pragma once

#include <cstdint>
#include <span>

#include "engine/packet/packet.h"
#include "rings/frame.h"

namespace weir {

// What becomes of TCP segments whose checksum is wrong. Packets of other protocols are only
// counted.
enum class ChecksumMode : uint8_t {
  kIgnore,  // checksums are not looked at
  kCount,   // counted and used: a capture on the sending host has no checksums yet
  kDrop,    // counted, refused by the connection's state and by its streams
};

// Verifies what is Verdict::kTracked and whole; a wrong one gets Anomaly::kTransportChecksum and
// packet_flag::kBadChecksum. Comes behind decoding and defragmenting.
//
// Not verified: what was captured short, or is a fragment; TCP and UDP headers whose lengths
// contradict the packet's (they have anomalies of their own); UDP over IPv4 with checksum 0, and
// over IPv6 on a tunnel's port (RFC 6935 section 5); packets on a source route that has not ended,
// as their checksum was made for another destination; other protocols; packets decoded with
// DecoderOptions::mac_addresses.
void VerifyTransportChecksums(std::span<const Frame> frames, std::span<Packet> packets);

}  // namespace weir

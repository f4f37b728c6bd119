// Turns frames into packets: link header, VLANs, labels, tunnels, IP, transport. Offsets only,
// nothing is copied, nothing beyond the captured length is read.
//
// Result of every frame, in Packet::verdict:
//   kTracked          addresses, ports and protocol are set
//   kFragmentHeld     a fragment that does not carry the whole datagram: addresses, protocol,
//                     identity and place are set, ports only in a first fragment; the
//                     Defragmenter decides
//   kNotIp            nothing on the way was IP (ARP, LLDP, 802.11 management...); MAC addresses
//                     are set where the link has them, so that --key mac-pair can track it
//   kMalformed        reason says which header could not be read
// Ports: TCP, UDP, SCTP, UDP-Lite, DCCP as in the header. ICMP echo, timestamp, address mask,
// information (and ICMPv6 echo): the identifier on both sides, so request and reply pair. Other
// ICMP: type << 8 | code on both sides. Everything else 0. ICMP errors have packet_flag::kIcmpError
// and their quoted packet at `payload`.
//
// Thread: const after construction; any number of threads may share one.
#pragma once

#include <cstdint>
#include <span>

#include "engine/packet/packet.h"
#include "rings/frame.h"

namespace weir {

struct DecoderOptions {
  bool decapsulate = true;     // --decap: follow tunnels to the innermost IP
  bool mac_addresses = false;  // --key mac-pair: point source and destination at MAC addresses
  uint32_t key_parts = key_part::kAll;  // which identifiers enter Packet::tunnel
  // A frame belongs to the innermost IP header that carries TCP or UDP, as in Wireshark: a ping
  // inside VXLAN counts in the VXLAN's own UDP conversation. False: to the innermost IP header
  // whatever it carries.
  bool prefer_ports = true;
};

class Decoder {
 public:
  explicit Decoder(const DecoderOptions& options = {}) : options_(options) {}

  // Decodes one frame. `path` is scratch that packet.tunnel may point at; it must live as long as
  // the packet.
  void Decode(const Frame& frame, Packet& packet, TunnelPath& path) const;

  // Decodes frames[i] into packets[i]. The three spans have equal sizes.
  void DecodeBatch(std::span<const Frame> frames, std::span<Packet> packets,
                   std::span<TunnelPath> paths) const;

  // Decodes bytes that start with an IP header: a reassembled datagram, or the packet that an ICMP
  // error quotes (packet.payload). wire_length and timestamp are taken from `packet` as they are.
  // Tunnels found inside are appended to `path`, which the caller clears, or fills with what stood
  // around; packet.tunnel points at it unless it stayed empty.
  void DecodeIp(const uint8_t* data, uint32_t captured_length, Packet& packet,
                TunnelPath& path) const;

  // Goes on behind the IP header that `packet` already describes: with the bytes of a reassembled
  // datagram, or with a first fragment whose rest will never come. `protocol` is what the first
  // fragment announced. `path` is the packet's; tunnels found inside are appended.
  // Packet::transport_offset keeps counting from where it did.
  void DecodePayload(const uint8_t* data, uint32_t captured_length, uint32_t wire_length,
                     uint8_t protocol, Packet& packet, TunnelPath& path) const;

 private:
  DecoderOptions options_;
};

}  // namespace weir

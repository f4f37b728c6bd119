// A decoded frame: where its layers are, what identifies its flow, its TCP fields.
//
// Ownership: pointers lead into the frame's bytes (or into the defragmenter's), valid until the
// batch is released. Thread: the shard's own. A Packet is written by the Decoder, completed by the
// stages behind it (verdict, key, hash) and never allocated one by one.
//
// Packets are used again for the next batch, and the decoder's fast path does not clear what a flag
// or a count guards: tcp_seq, tcp_ack and tcp_window hold an older packet's values without
// kTcpFields, fragment_id and fragment_offset without kFragment, vlan[i] from vlan_count on.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/packet/tunnel_path.h"
#include "engine/packet/verdict.h"
#include "rings/frame.h"

namespace weir {

// TCP flags as they stand in byte 13 of the header: RFC 9293 section 3.1.
namespace tcp_flag {
inline constexpr uint8_t kFin = 0x01;
inline constexpr uint8_t kSyn = 0x02;
inline constexpr uint8_t kRst = 0x04;
inline constexpr uint8_t kPsh = 0x08;
inline constexpr uint8_t kAck = 0x10;
inline constexpr uint8_t kUrg = 0x20;
inline constexpr uint8_t kEce = 0x40;
inline constexpr uint8_t kCwr = 0x80;
}  // namespace tcp_flag

// IANA protocol numbers that the engine treats by name.
namespace ip_protocol {
inline constexpr uint8_t kIcmp = 1;
inline constexpr uint8_t kIpip = 4;
inline constexpr uint8_t kTcp = 6;
inline constexpr uint8_t kUdp = 17;
inline constexpr uint8_t kIpv6 = 41;
inline constexpr uint8_t kGre = 47;
inline constexpr uint8_t kIcmpv6 = 58;
inline constexpr uint8_t kSctp = 132;
}  // namespace ip_protocol

// Which addresses Packet::source and ::destination point at.
enum class AddressFamily : uint8_t { kNone, kIpv4, kIpv6, kMac };

// Bits of Packet::flags.
namespace packet_flag {
inline constexpr uint8_t kFragment = 0x01;  // a fragment; fragment_id and fragment_offset are set
inline constexpr uint8_t kMoreFragments = 0x02;  // MF bit
inline constexpr uint8_t kTruncated = 0x04;      // captured shorter than the IP length says
inline constexpr uint8_t kIcmpError = 0x08;      // payload quotes the packet it is about
inline constexpr uint8_t kTcpFields = 0x10;  // the whole header was captured: tcp_seq .. tcp_window
inline constexpr uint8_t kDefragmented = 0x20;  // payload lies in the defragmenter's buffer
inline constexpr uint8_t kBadChecksum = 0x40;   // Anomaly::kTransportChecksum
inline constexpr uint8_t kTunnelled = 0x80;     // another IP header stands around this one
}  // namespace packet_flag

// Bits of Packet::plain: what later stages need not look for. A packet without a bit may still be
// what the bit says.
namespace plain_bit {
// Ethernet, IPv4 without options, TCP or UDP, nothing between them and no tag, tunnel or fragment;
// `destination` stands behind `source`.
inline constexpr uint8_t kStraight = 0x01;
// Moves nothing in a flow but counters and sequence numbers: a whole UDP datagram, or a whole TCP
// segment whose flags are neither SYN, FIN, RST nor odd. No label.
inline constexpr uint8_t kUsual = 0x02;
}  // namespace plain_bit

struct Packet {
  // Addresses of the innermost IP header, in network order: 4 or 16 bytes; 6 for MAC pairs.
  // Null when verdict is kNotIp or kMalformed.
  const uint8_t* source = nullptr;
  const uint8_t* destination = nullptr;
  // First byte behind the transport header; payload_length bytes were captured, and
  // payload_wire_length were sent, padding behind the IP datagram excluded from both.
  const uint8_t* payload = nullptr;
  uint32_t payload_length = 0;
  uint32_t payload_wire_length = 0;

  int64_t timestamp_ns = 0;
  uint32_t wire_length = 0;  // the frame's
  // Differs by direction, never keyed: GTP TEID, MPLS label, Geneve VNI...; 0 = none.
  uint32_t label = 0;

  uint32_t tcp_seq = 0;  // these three with kTcpFields only, else stale
  uint32_t tcp_ack = 0;
  uint16_t tcp_window = 0;
  uint16_t source_port = 0;  // host order; ICMP: see Decoder
  uint16_t destination_port = 0;
  uint8_t tcp_flags = 0;
  uint8_t protocol = 0;  // IP protocol of the innermost header, behind extension headers

  Verdict verdict = Verdict::kTracked;
  uint8_t reason = 0;  // FilterReason, Malformed, Shed or FragmentDrop, as verdict says
  AddressFamily family = AddressFamily::kNone;
  uint8_t flags = 0;       // packet_flag
  uint16_t anomalies = 0;  // bit 1 << Anomaly
  uint8_t vlan_count = 0;  // tags of the whole stack, the stripped one included
  uint8_t plain = 0;       // plain_bit
  uint8_t icmp_type = 0;
  uint8_t icmp_code = 0;
  // From the transport header to the payload, wherever they lie: TCP, UDP, ICMP; else stale.
  uint8_t transport_header_length = 0;
  uint16_t vlan[2] = {0, 0};  // the two outermost VLAN ids; stale from vlan_count on

  // Offsets in the frame, from Frame::data, of the innermost IP header and its transport header.
  uint32_t ip_offset = 0;
  uint32_t transport_offset = 0;

  // Fragments (flags & kFragment, else stale): the identity of the datagram, the piece's place.
  uint32_t fragment_id = 0;      // 16 bits of IPv4, 32 of IPv6
  uint32_t fragment_offset = 0;  // bytes

  // A packet that completed a datagram (kDefragmented): the fragments before it, which were held
  // until now and count in this packet's flow: how many, and their wire lengths.
  uint32_t held_packets = 0;
  uint32_t held_bytes = 0;

  // Identity of tunnels and VLANs, null when there is none. Lies in the batch's scratch.
  const TunnelPath* tunnel = nullptr;
};

// Eight fields in one word: verdict, reason, family, flags, anomalies, vlan_count and plain.
inline uint64_t ShapeOf(const Packet& packet) {
  static_assert(offsetof(Packet, plain) == offsetof(Packet, verdict) + 7);
  uint64_t shape;
  std::memcpy(&shape, reinterpret_cast<const char*>(&packet) + offsetof(Packet, verdict),
              sizeof shape);
  return shape;
}

inline constexpr uint64_t kShapeTracked = static_cast<uint64_t>(Verdict::kTracked);
constexpr uint64_t ShapeOfFlags(unsigned flags) { return uint64_t{flags} << 24; }
constexpr uint64_t ShapeOfPlain(unsigned bits) {
  static_assert(std::endian::native == std::endian::little);
  return uint64_t{bits} << 56;
}

// The shape of nearly every packet: a straight and usual segment, without anomalies.
inline constexpr uint64_t kPlainSegment =
    kShapeTracked | static_cast<uint64_t>(AddressFamily::kIpv4) << 16 |
    ShapeOfFlags(packet_flag::kTcpFields) | ShapeOfPlain(plain_bit::kStraight | plain_bit::kUsual);
inline bool IsPlainSegment(const Packet& packet) { return ShapeOf(packet) == kPlainSegment; }

// Tracked, and not refused by a later stage.
inline bool IsStraight(uint64_t shape) {
  constexpr uint64_t kMask = 0xff | ShapeOfPlain(plain_bit::kStraight);
  return (shape & kMask) == (kShapeTracked | ShapeOfPlain(plain_bit::kStraight));
}
inline bool IsUsual(uint64_t shape) {
  constexpr unsigned kHarmless = packet_flag::kTcpFields | packet_flag::kTunnelled;
  constexpr uint64_t kMask =
      0xff | ShapeOfFlags(0xff & ~kHarmless) | ShapeOfPlain(plain_bit::kUsual);
  return (shape & kMask) == (kShapeTracked | ShapeOfPlain(plain_bit::kUsual));
}
inline bool HasTcpFields(uint64_t shape) {
  return (shape & ShapeOfFlags(packet_flag::kTcpFields)) != 0;
}

}  // namespace weir

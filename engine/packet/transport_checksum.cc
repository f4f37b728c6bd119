#include "engine/packet/transport_checksum.h"

#include "engine/packet/checksum.h"
#include "engine/packet/decode_state.h"
#include "engine/packet/tunnel_ports.h"

namespace weir {
namespace {

constexpr unsigned Bit(Anomaly anomaly) { return 1u << static_cast<unsigned>(anomaly); }

// Headers that do not say what was summed.
constexpr unsigned kUnclear =
    Bit(Anomaly::kTcpHeaderTruncated) | Bit(Anomaly::kTcpDataOffset) | Bit(Anomaly::kUdpLength);

bool IsVouchedFor(const Frame& frame, const Packet& packet) {
  if (frame.checksum == ChecksumStatus::kNotReady) return true;
  constexpr uint8_t kNotOfThisFrame = packet_flag::kTunnelled | packet_flag::kDefragmented;
  return frame.checksum == ChecksumStatus::kValid && (packet.flags & kNotOfThisFrame) == 0;
}

bool IsWhole(const Packet& packet) {
  return (packet.flags & (packet_flag::kFragment | packet_flag::kTruncated)) == 0 &&
         packet.payload_length == packet.payload_wire_length;
}

bool HasChecksum(const Packet& packet, const uint8_t* transport) {
  const bool ipv4 = packet.family == AddressFamily::kIpv4;
  if (!ipv4 && packet.family != AddressFamily::kIpv6) return false;
  switch (packet.protocol) {
    case ip_protocol::kTcp:
      return true;
    case ip_protocol::kUdp:
      if (LoadNative<uint16_t>(transport + 6) != 0) return true;
      return !ipv4 && !decode::MayBeTunnel(packet.source_port, packet.destination_port);
    case ip_protocol::kIcmp:
      return ipv4;
    case ip_protocol::kIcmpv6:
      return !ipv4;
    default:
      return false;
  }
}

bool IsRight(const Packet& packet, const uint8_t* transport) {
  const uint32_t size = packet.transport_header_length + packet.payload_length;
  uint64_t sum = 0;
  if (packet.protocol == ip_protocol::kIcmp) {
    // No pseudo header.
  } else if (packet.family == AddressFamily::kIpv4) {
    sum = PseudoHeaderSum(packet.source, packet.destination, 4, packet.protocol, size);
  } else {
    sum = PseudoHeaderSum(packet.source, packet.destination, 16, packet.protocol, size);
  }
  return ChecksumFold(ChecksumAdd(transport, size, sum)) == 0;
}

// RFC 791 section 3.1: a loose or strict source route with addresses left.
bool Ipv4RouteIsLeft(const uint8_t* header) {
  constexpr uint8_t kEnd = 0, kNoOperation = 1, kLoose = 131, kStrict = 137;
  const uint32_t size = (header[0] & 0x0fu) * 4;
  for (uint32_t at = 20; at + 2 < size && header[at] != kEnd;) {
    if (header[at] == kNoOperation) {
      ++at;
      continue;
    }
    const uint8_t length = header[at + 1];
    if (header[at] == kLoose || header[at] == kStrict) return header[at + 2] <= length;
    if (length < 2) return false;
    at += length;
  }
  return false;
}

// RFC 8200 section 4.4. The decoder has walked the chain, so all of it was captured.
bool Ipv6RouteIsLeft(const uint8_t* header) {
  uint8_t next = header[6];
  const uint8_t* at = header + 40;
  for (;;) {
    const uint8_t kind = next;
    next = at[0];
    if (kind == decode::extension::kFragment) {
      if ((Load16(at + 2) & 0xfff9) != 0) return false;
      at += 8;
    } else if (decode::IsExtension(kind)) {
      if (kind == decode::extension::kRouting && at[3] != 0) return true;
      at += decode::ExtensionSize(at, kind);
    } else {
      return false;
    }
  }
}

bool RouteIsLeft(const Packet& packet) {
  return packet.family == AddressFamily::kIpv4 ? Ipv4RouteIsLeft(packet.source - 12)
                                               : Ipv6RouteIsLeft(packet.source - 8);
}

void Verify(Packet& packet) {
  if (!IsWhole(packet) || (packet.anomalies & kUnclear) != 0) return;
  const uint8_t* transport = packet.payload - packet.transport_header_length;
  if (!HasChecksum(packet, transport) || IsRight(packet, transport) || RouteIsLeft(packet)) return;
  packet.flags |= packet_flag::kBadChecksum;
  packet.anomalies = static_cast<uint16_t>(packet.anomalies | Bit(Anomaly::kTransportChecksum));
}

}  // namespace

void VerifyTransportChecksums(std::span<const Frame> frames, std::span<Packet> packets) {
  for (size_t i = 0; i < frames.size(); ++i) {
    Packet& packet = packets[i];
    if (packet.verdict != Verdict::kTracked || IsVouchedFor(frames[i], packet)) continue;
    Verify(packet);
  }
}

}  // namespace weir

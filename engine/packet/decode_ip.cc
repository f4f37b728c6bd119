// IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200, RFC 2675, RFC 4302).
#include "engine/packet/checksum.h"
#include "engine/packet/decode_state.h"

namespace weir::decode {
namespace {

constexpr int kMaxExtensionHeaders = 16;

void SetAddresses(State& state, const uint8_t* header, uint32_t at, uint32_t size,
                  AddressFamily family) {
  Packet& packet = state.packet;
  packet.verdict = Verdict::kTracked;
  packet.source_port = packet.destination_port = 0;
  packet.flags = state.ip_headers == 0 ? uint8_t{0} : packet_flag::kTunnelled;
  packet.ip_offset = static_cast<uint32_t>(header - state.base);
  if (state.options.mac_addresses) return;
  packet.source = header + at;
  packet.destination = header + at + size;
  packet.family = family;
}

// A piece of a datagram: its place and bytes; ports only in the first one.
void Piece(State& state, Slice in, uint8_t protocol, uint32_t id, uint32_t offset, bool more) {
  Packet& packet = state.packet;
  const bool has_ports = protocol == ip_protocol::kTcp || protocol == ip_protocol::kUdp ||
                         protocol == ip_protocol::kSctp;
  if (offset == 0 && has_ports && in.Has(4)) {
    packet.source_port = Load16(in.data);
    packet.destination_port = Load16(in.data + 2);
  }
  packet.protocol = protocol;
  packet.verdict = state.options.mac_addresses ? Verdict::kTracked : Verdict::kFragmentHeld;
  packet.flags |= packet_flag::kFragment;
  if (more) packet.flags |= packet_flag::kMoreFragments;
  packet.fragment_id = id;
  packet.fragment_offset = offset;
  packet.payload = in.data;
  packet.payload_length = in.captured;
  packet.payload_wire_length = in.wire;
  packet.transport_offset = static_cast<uint32_t>(in.data - state.base);
}

void NoteLengths(State& state, Slice frame, Slice datagram) {
  if (datagram.wire > frame.wire) state.Anomaly(Anomaly::kIpLengthBeyondFrame);
  if (datagram.captured < datagram.wire) state.packet.flags |= packet_flag::kTruncated;
}

// The length in a jumbo payload option (RFC 2675 section 2) of a hop-by-hop header; 0 = there is
// none.
uint32_t JumboLength(Slice in) {
  if (!in.Has(8)) return 0;
  const uint32_t size = std::min((in.data[1] + 1u) * 8, in.captured);
  for (uint32_t at = 2; at + 1 < size;) {
    if (in.data[at] == 0) {  // Pad1
      ++at;
      continue;
    }
    if (in.data[at] == 0xc2 && in.data[at + 1] == 4 && at + 6 <= size)
      return Load32(in.data + at + 2);
    at += 2u + in.data[at + 1];
  }
  return 0;
}

}  // namespace

uint32_t ExtensionSize(const uint8_t* header, uint8_t kind) {
  if (kind == extension::kAuthentication) return (header[1] + 2u) * 4;
  return (header[1] + 1u) * 8;
}

bool IsExtension(uint8_t kind) {
  return kind == extension::kHopByHop || kind == extension::kRouting ||
         kind == extension::kDestination || kind == extension::kAuthentication ||
         kind == extension::kShim6;
}

// Walks the extension headers, up to a transport header or a piece of a datagram.
void Extensions(State& state, Slice in, uint8_t next) {
  for (int count = 0; IsExtension(next) || next == extension::kFragment; ++count) {
    if (count == kMaxExtensionHeaders) return state.Malformed(Malformed::kExtensionHeaders);
    if (!in.Has(8)) return state.Malformed(Malformed::kIpTruncated);
    const uint8_t kind = next;
    next = in.data[0];
    if (kind == extension::kFragment) {
      const uint16_t place = Load16(in.data + 2);
      const uint32_t id = Load32(in.data + 4);
      in = in.From(8);
      if ((place & 0xfff9) != 0)
        return Piece(state, in, next, id, place & 0xfff8, (place & 1) != 0);
      continue;  // atomic: RFC 6946
    }
    const uint32_t size = ExtensionSize(in.data, kind);
    if (!in.Has(size)) return state.Malformed(Malformed::kIpTruncated);
    in = in.From(size);
  }
  Transport(state, in, next);
}

void IpByVersion(State& state, Slice in) {
  if (!in.Has(1)) return;
  if (in.data[0] >> 4 == 4) return Ipv4(state, in);
  if (in.data[0] >> 4 == 6) return Ipv6(state, in);
}

void Ipv4(State& state, Slice in) {
  if (in.Has(1) && in.data[0] >> 4 != 4) return state.Malformed(Malformed::kIpVersion);
  if (!in.Has(20)) return state.Malformed(Malformed::kIpTruncated);
  if (!state.Descend()) return;
  const uint8_t* header = in.data;
  const uint32_t header_size = (header[0] & 0x0fu) * 4;
  uint32_t total = Load16(header + 2);
  if (total == 0) total = in.wire;  // left to the device: segmentation offload
  if (header_size < 20) return state.Malformed(Malformed::kIpHeaderLength);
  if (total < 20) return state.Malformed(Malformed::kIpTotalLength);
  if (header_size > total) return state.Malformed(Malformed::kIpHeaderLength);
  if (!in.Has(header_size)) return state.Malformed(Malformed::kIpTruncated);
  const Slice datagram = in.WithLength(total);
  SetAddresses(state, header, 12, 4, AddressFamily::kIpv4);
  NoteLengths(state, in, datagram);
  if (ChecksumFold(ChecksumAdd(header, header_size)) != 0) {
    state.Anomaly(Anomaly::kIpv4HeaderChecksum);
  }
  ++state.ip_headers;
  const uint16_t place = Load16(header + 6);
  const Slice body = datagram.From(header_size);
  if ((place & 0x3fff) != 0) {
    return Piece(state, body, header[9], Load16(header + 4), (place & 0x1fffu) * 8,
                 (place & 0x2000) != 0);
  }
  Extensions(state, body, header[9]);
}

void Ipv6(State& state, Slice in) {
  if (in.Has(1) && in.data[0] >> 4 != 6) return state.Malformed(Malformed::kIpVersion);
  if (!in.Has(40)) return state.Malformed(Malformed::kIpTruncated);
  if (!state.Descend()) return;
  const uint8_t* header = in.data;
  uint32_t length = Load16(header + 4);
  if (length == 0 && header[6] == extension::kHopByHop) length = JumboLength(in.From(40));
  if (length == 0) length = in.wire - 40;  // left to the device: segmentation offload
  if (length > UINT32_MAX - 40) return state.Malformed(Malformed::kIpTotalLength);
  const Slice datagram = in.WithLength(40 + length);
  SetAddresses(state, header, 8, 16, AddressFamily::kIpv6);
  NoteLengths(state, in, datagram);
  ++state.ip_headers;
  Extensions(state, datagram.From(40), header[6]);
}

}  // namespace weir::decode

// Transport layers, and tunnels over them or over IP.
#include "engine/packet/checksum.h"
#include "engine/packet/packet.h"
#include "tests/support/packet_builder.h"
#include "tests/support/packet_bytes.h"

namespace weir::test {

PacketBuilder& PacketBuilder::Tcp(uint16_t source, uint16_t destination, const TcpFields& fields) {
  Bytes header(20);
  Put16(header, 0, source);
  Put16(header, 2, destination);
  Put32(header, 4, fields.seq);
  Put32(header, 8, fields.ack);
  header[13] = fields.flags;
  Put16(header, 14, fields.window);
  Append(header, fields.options);
  header.resize(RoundUp(header.size(), 4));
  header[12] = static_cast<uint8_t>(header.size() / 4 << 4);
  Kind kind;
  kind.ip = ip_protocol::kTcp;
  kind.checksum_at = 16;
  return Add(kind, header, nullptr);
}

PacketBuilder& PacketBuilder::Udp(uint16_t source, uint16_t destination) {
  Bytes header(8);
  Put16(header, 0, source);
  Put16(header, 2, destination);
  Kind kind;
  kind.ip = ip_protocol::kUdp;
  kind.checksum_at = 6;
  return Add(kind, header, [](Bytes& h, const Bytes& body, const Kind&) {
    Put16(h, 4, static_cast<uint32_t>(h.size() + body.size()));
  });
}

PacketBuilder& PacketBuilder::Sctp(uint16_t source, uint16_t destination) {
  Bytes header(12);
  Put16(header, 0, source);
  Put16(header, 2, destination);
  Kind kind;
  kind.ip = ip_protocol::kSctp;
  return Add(kind, header, nullptr);
}

PacketBuilder& PacketBuilder::Icmp(uint8_t type, uint8_t code, uint16_t identifier,
                                   uint16_t sequence) {
  Bytes header = {type, code, 0, 0, 0, 0, 0, 0};
  Put16(header, 4, identifier);
  Put16(header, 6, sequence);
  Kind kind;
  kind.ip = 1;
  return Add(kind, header, [](Bytes& h, const Bytes& body, const Kind&) {
    PutNative16(
        h, 2, ChecksumFold(ChecksumAdd(body.data(), body.size(), ChecksumAdd(h.data(), h.size()))));
  });
}

PacketBuilder& PacketBuilder::Icmpv6(uint8_t type, uint8_t code, uint16_t identifier,
                                     uint16_t sequence) {
  Icmp(type, code, identifier, sequence);
  layers_.back().kind.ip = 58;
  layers_.back().kind.checksum_at = 2;
  layers_.back().finish = nullptr;
  return *this;
}

PacketBuilder& PacketBuilder::Vxlan(uint32_t vni) {
  Bytes header(8);
  header[0] = 0x08;
  Put32(header, 4, vni << 8);
  return Add({}, header, nullptr);
}

PacketBuilder& PacketBuilder::Geneve(uint32_t vni, size_t options_size) {
  Bytes header(8 + options_size);
  header[0] = static_cast<uint8_t>(options_size / 4);
  Put32(header, 4, vni << 8);
  if (options_size >= 4) header[11] = static_cast<uint8_t>(options_size / 4 - 1);
  return Add({}, header,
             [](Bytes& h, const Bytes&, const Kind& next) { Put16(h, 2, next.ether_type); });
}

PacketBuilder& PacketBuilder::Gre() {
  Kind kind;
  kind.ip = 47;
  return Add(kind, Bytes(4),
             [](Bytes& h, const Bytes&, const Kind& next) { Put16(h, 2, next.ether_type); });
}

PacketBuilder& PacketBuilder::GreKey(uint32_t key) {
  Gre();
  Bytes& header = layers_.back().header;
  header.resize(8);
  header[0] = 0x20;
  Put32(header, 4, key);
  return *this;
}

PacketBuilder& PacketBuilder::GtpU(uint32_t teid) {
  Bytes header(8);
  header[0] = 0x30;
  header[1] = 0xff;
  Put32(header, 4, teid);
  return Add({}, header, [](Bytes& h, const Bytes& body, const Kind&) {
    Put16(h, 2, static_cast<uint32_t>(body.size()));
  });
}

}  // namespace weir::test

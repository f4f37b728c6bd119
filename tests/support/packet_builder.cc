// Link and network layers, and how layers become bytes.
#include "tests/support/packet_builder.h"

#include <arpa/inet.h>

#include <cstdio>
#include <cstdlib>

#include "engine/packet/checksum.h"
#include "engine/packet/packet.h"
#include "tests/support/packet_bytes.h"

namespace weir::test {
namespace {

Bytes MacAddress(std::string_view text) {
  unsigned part[6] = {};
  if (std::sscanf(std::string(text).c_str(), "%x:%x:%x:%x:%x:%x", &part[0], &part[1], &part[2],
                  &part[3], &part[4], &part[5]) != 6) {
    std::abort();
  }
  Bytes bytes;
  for (unsigned p : part) bytes.push_back(static_cast<uint8_t>(p));
  return bytes;
}

Bytes IpAddress(int family, std::string_view text, size_t size) {
  Bytes bytes(size);
  if (inet_pton(family, std::string(text).c_str(), bytes.data()) != 1) std::abort();
  return bytes;
}

}  // namespace

Bytes Ipv4Address(std::string_view text) { return IpAddress(AF_INET, text, 4); }
Bytes Ipv6Address(std::string_view text) { return IpAddress(AF_INET6, text, 16); }

Frame AsFrame(const Bytes& bytes, uint16_t link_type, int64_t timestamp_ns) {
  Frame frame;
  frame.data = bytes.data();
  frame.timestamp_ns = timestamp_ns;
  frame.captured_length = frame.wire_length = static_cast<uint32_t>(bytes.size());
  frame.link_type = link_type;
  return frame;
}

PacketBuilder& PacketBuilder::Add(const Kind& kind, Bytes header, Finish finish) {
  layers_.push_back({kind, std::move(header), std::move(finish)});
  return *this;
}

PacketBuilder& PacketBuilder::Ethernet(std::string_view source, std::string_view destination) {
  Bytes header = MacAddress(destination);
  Append(header, MacAddress(source));
  header.resize(14);
  Kind kind;
  kind.ether_type = 0x6558;  // transparent Ethernet bridging
  kind.ip = 143;
  return Add(kind, header, [](Bytes& h, const Bytes& body, const Kind& next) {
    Put16(h, 12, next.length ? static_cast<uint32_t>(body.size()) : next.ether_type);
  });
}

PacketBuilder& PacketBuilder::Llc(bool snap) {
  Kind kind;
  kind.length = true;
  if (!snap) return Add(kind, {0x06, 0x06, 0x03}, nullptr);
  return Add(kind, {0xaa, 0xaa, 0x03, 0, 0, 0, 0, 0},
             [](Bytes& h, const Bytes&, const Kind& next) { Put16(h, 6, next.ether_type); });
}

PacketBuilder& PacketBuilder::Vlan(uint16_t id, uint16_t tpid, uint8_t priority) {
  Kind kind;
  kind.ether_type = tpid;
  Bytes header(4);
  Put16(header, 0, static_cast<uint32_t>(priority << 13 | id));
  return Add(kind, header, [](Bytes& h, const Bytes& body, const Kind& next) {
    Put16(h, 2, next.length ? static_cast<uint32_t>(body.size()) : next.ether_type);
  });
}

PacketBuilder& PacketBuilder::Mpls(uint32_t label) {
  Kind kind;
  kind.ether_type = 0x8847;
  kind.ppp = 0x0281;
  kind.ip = 137;
  kind.mpls = true;
  Bytes header(4);
  Put32(header, 0, label << 12 | 64);
  return Add(kind, header,
             [](Bytes& h, const Bytes&, const Kind& next) { h[2] |= next.mpls ? 0 : 1; });
}

PacketBuilder& PacketBuilder::Pppoe(uint16_t session) {
  Kind kind;
  kind.ether_type = 0x8864;
  Bytes header = {0x11, 0, 0, 0, 0, 0, 0, 0};
  Put16(header, 2, session);
  return Add(kind, header, [](Bytes& h, const Bytes& body, const Kind& next) {
    Put16(h, 4, static_cast<uint32_t>(body.size() + 2));
    Put16(h, 6, next.ppp);
  });
}

PacketBuilder& PacketBuilder::Ppp(bool hdlc, bool compressed) {
  Kind kind;
  kind.ether_type = 0x880b;
  const size_t at = hdlc ? 2 : 0;
  Bytes header(at + (compressed ? 1 : 2));
  if (hdlc) header[0] = 0xff, header[1] = 0x03;
  return Add(kind, header, [at, compressed](Bytes& h, const Bytes&, const Kind& next) {
    if (compressed) {
      h.at(at) = static_cast<uint8_t>(next.ppp);
    } else {
      Put16(h, at, next.ppp);
    }
  });
}

PacketBuilder& PacketBuilder::CiscoHdlc() {
  return Add({}, {0x0f, 0, 0, 0},
             [](Bytes& h, const Bytes&, const Kind& next) { Put16(h, 2, next.ether_type); });
}

PacketBuilder& PacketBuilder::Sll(uint16_t packet_type) {
  Bytes header(16);
  Put16(header, 0, packet_type);
  Put16(header, 2, 1);
  Put16(header, 4, 6);
  header[6] = 2;
  return Add({}, header,
             [](Bytes& h, const Bytes&, const Kind& next) { Put16(h, 14, next.ether_type); });
}

PacketBuilder& PacketBuilder::Sll2(uint8_t packet_type) {
  Bytes header(20);
  header[7] = 1;
  Put16(header, 8, 1);
  header[10] = packet_type;
  header[11] = 6;
  header[12] = 2;
  return Add({}, header,
             [](Bytes& h, const Bytes&, const Kind& next) { Put16(h, 0, next.ether_type); });
}

PacketBuilder& PacketBuilder::Null(bool big_endian) {
  return Add({}, Bytes(4), [big_endian](Bytes& h, const Bytes&, const Kind& next) {
    h.at(big_endian ? 3 : 0) = next.version == 6 ? 30 : 2;
  });
}

PacketBuilder& PacketBuilder::Ipv4(std::string_view source, std::string_view destination) {
  Bytes header(12);
  header[8] = 64;
  Put16(header, 6, 0x4000);
  Append(header, Ipv4Address(source));
  Append(header, Ipv4Address(destination));
  Kind kind;
  kind.ether_type = 0x0800;
  kind.ppp = 0x0021;
  kind.ip = 4;
  kind.version = 4;
  return Add(kind, header, [](Bytes& h, const Bytes& body, const Kind& next) {
    h[0] = static_cast<uint8_t>(0x40 | h.size() / 4);
    Put16(h, 2, static_cast<uint32_t>(h.size() + body.size()));
    if (h[9] == 0) h[9] = next.ip;
    Put16(h, 10, 0);
    PutNative16(h, 10, ChecksumFold(ChecksumAdd(h.data(), h.size())));
  });
}

PacketBuilder& PacketBuilder::Ipv4Options(const Bytes& options) {
  Bytes& header = layers_.back().header;
  Append(header, options);
  header.resize(RoundUp(header.size(), 4));
  return *this;
}

PacketBuilder& PacketBuilder::Ipv4Fragment(uint16_t id, uint32_t offset_bytes, bool more,
                                           uint8_t protocol) {
  Bytes& header = layers_.back().header;
  Put16(header, 4, id);
  Put16(header, 6, offset_bytes / 8 | (more ? 0x2000 : 0));
  header.at(9) = protocol;
  return *this;
}

PacketBuilder& PacketBuilder::Ipv6(std::string_view source, std::string_view destination) {
  Bytes header = {0x60, 0, 0, 0, 0, 0, 59, 64};
  Append(header, Ipv6Address(source));
  Append(header, Ipv6Address(destination));
  Kind kind;
  kind.ether_type = 0x86dd;
  kind.ppp = 0x0057;
  kind.ip = 41;
  kind.version = 6;
  return Add(kind, header, [](Bytes& h, const Bytes& body, const Kind& next) {
    Put16(h, 4, static_cast<uint32_t>(body.size()));
    h[6] = next.ip;
  });
}

PacketBuilder& PacketBuilder::Extension(uint8_t number, size_t size, size_t length_unit) {
  Kind kind;
  kind.ip = number;
  kind.extension = true;
  Bytes header(size);
  header.at(1) = static_cast<uint8_t>(length_unit == 4 ? size / 4 - 2 : size / 8 - 1);
  if (number == 0 || number == 60) {  // one PadN option
    header.at(2) = 1;
    header.at(3) = static_cast<uint8_t>(size - 4);
  }
  return Add(kind, header, [](Bytes& h, const Bytes&, const Kind& next) { h[0] = next.ip; });
}

PacketBuilder& PacketBuilder::HopByHop(size_t size) { return Extension(0, size, 8); }
PacketBuilder& PacketBuilder::DestinationOptions(size_t size) { return Extension(60, size, 8); }
PacketBuilder& PacketBuilder::Routing(size_t size) { return Extension(43, size, 8); }
PacketBuilder& PacketBuilder::Authentication(size_t size) { return Extension(51, size, 4); }

PacketBuilder& PacketBuilder::Fragment(uint32_t id, uint32_t offset_bytes, bool more,
                                       uint8_t protocol) {
  Kind kind;
  kind.ip = 44;
  kind.extension = true;
  Bytes header(8);
  header[0] = protocol;
  Put16(header, 2, offset_bytes | (more ? 1 : 0));
  Put32(header, 4, id);
  return Add(kind, header, nullptr);
}

PacketBuilder& PacketBuilder::Raw(const Bytes& header, uint16_t protocol) {
  Kind kind;
  kind.ether_type = kind.ppp = protocol;
  kind.ip = static_cast<uint8_t>(protocol);
  return Add(kind, header, nullptr);
}

PacketBuilder& PacketBuilder::Payload(size_t size, uint8_t first) {
  for (size_t i = 0; i < size; ++i) payload_.push_back(static_cast<uint8_t>(first + i));
  return *this;
}

PacketBuilder& PacketBuilder::Payload(std::string_view text) {
  payload_.insert(payload_.end(), text.begin(), text.end());
  return *this;
}

PacketBuilder& PacketBuilder::Payload(const Bytes& bytes) {
  Append(payload_, bytes);
  return *this;
}

PacketBuilder& PacketBuilder::Padding(size_t size) {
  padding_.resize(padding_.size() + size);
  return *this;
}

// Puts the checksum of a transport header that stands behind `ip`, extension headers skipped.
void PacketBuilder::FixTransport(const Layer& ip, size_t index, Bytes& body) const {
  if (ip.kind.version == 0) return;
  size_t skipped = 0;
  for (++index; index < layers_.size() && layers_[index].kind.extension; ++index) {
    skipped += layers_[index].header.size();
  }
  if (index == layers_.size() || layers_[index].kind.checksum_at < 0) return;
  const size_t address = ip.kind.version == 4 ? 4 : 16, at = ip.kind.version == 4 ? 12 : 8;
  const uint8_t protocol = layers_[index].kind.ip;
  const size_t size = body.size() - skipped;
  const uint64_t pseudo = PseudoHeaderSum(&ip.header[at], &ip.header[at + address], address,
                                          protocol, static_cast<uint32_t>(size));
  uint16_t sum = ChecksumFold(ChecksumAdd(&body[skipped], size, pseudo));
  if (protocol == ip_protocol::kUdp && sum == 0) sum = 0xffff;  // RFC 768: zero means none
  PutNative16(body, skipped + static_cast<size_t>(layers_[index].kind.checksum_at), sum);
}

Bytes PacketBuilder::Build() const {
  Bytes body = payload_;
  for (size_t i = layers_.size(); i-- > 0;) {
    FixTransport(layers_[i], i, body);
    Bytes header = layers_[i].header;
    if (layers_[i].finish) {
      layers_[i].finish(header, body, i + 1 < layers_.size() ? layers_[i + 1].kind : Kind{});
    }
    Append(header, body);
    body = std::move(header);
  }
  Append(body, padding_);
  return body;
}

}  // namespace weir::test

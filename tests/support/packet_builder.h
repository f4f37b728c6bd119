// Builds frames layer by layer, outermost first; lengths, next-protocol fields and checksums come
// out right by themselves:
//
//   std::vector<uint8_t> bytes = PacketBuilder().Ethernet().Vlan(7).Ipv4("10.0.0.1", "10.0.0.2")
//                                    .Udp(1000, 53).Payload(100).Build();
//   weir::Frame frame = AsFrame(bytes);
//
// Any order of layers is accepted: what stands in front of a layer announces it. To build something
// wrong, build it right and then break the bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "rings/frame.h"

namespace weir::test {

using Bytes = std::vector<uint8_t>;

// A TCP header's fields; flags are tcp_flag bits.
struct TcpFields {
  uint32_t seq = 0;
  uint32_t ack = 0;
  uint8_t flags = 0x10;
  uint16_t window = 65535;
  Bytes options = {};  // padded to a multiple of 4
};

class PacketBuilder {
 public:
  // Link layers. Addresses are "02:00:00:00:00:01".
  PacketBuilder& Ethernet(std::string_view source = "02:00:00:00:00:01",
                          std::string_view destination = "02:00:00:00:00:02");
  PacketBuilder& Llc(bool snap = true);  // after Ethernet: 802.3 length, LLC, SNAP
  PacketBuilder& Vlan(uint16_t id, uint16_t tpid = 0x8100, uint8_t priority = 0);
  PacketBuilder& Mpls(uint32_t label);     // bottom of stack is set on the last one
  PacketBuilder& Pppoe(uint16_t session);  // with the PPP protocol field
  PacketBuilder& Ppp(bool hdlc = false, bool compressed = false);
  PacketBuilder& CiscoHdlc();
  PacketBuilder& Sll(uint16_t packet_type = 0);
  PacketBuilder& Sll2(uint8_t packet_type = 0);
  PacketBuilder& Null(bool big_endian = false);

  // Network layers.
  PacketBuilder& Ipv4(std::string_view source, std::string_view destination);
  PacketBuilder& Ipv4Options(const Bytes& options);  // after Ipv4; padded to a multiple of 4
  PacketBuilder& Ipv4Fragment(uint16_t id, uint32_t offset_bytes, bool more, uint8_t protocol = 17);
  PacketBuilder& Ipv6(std::string_view source, std::string_view destination);
  PacketBuilder& HopByHop(size_t size = 8);
  PacketBuilder& DestinationOptions(size_t size = 8);
  PacketBuilder& Routing(size_t size = 24);
  PacketBuilder& Fragment(uint32_t id, uint32_t offset_bytes, bool more, uint8_t protocol = 17);
  PacketBuilder& Authentication(size_t size = 24);

  // Transport layers. `protocol` where it is not implied by the address family.
  PacketBuilder& Tcp(uint16_t source, uint16_t destination, const TcpFields& fields = {});
  PacketBuilder& Udp(uint16_t source, uint16_t destination);
  PacketBuilder& Sctp(uint16_t source, uint16_t destination);
  PacketBuilder& Icmp(uint8_t type, uint8_t code, uint16_t identifier = 0, uint16_t sequence = 0);
  PacketBuilder& Icmpv6(uint8_t type, uint8_t code, uint16_t identifier = 0, uint16_t sequence = 0);

  // Tunnels; those over UDP stand after Udp(port, 4789) and the like.
  PacketBuilder& Vxlan(uint32_t vni);
  PacketBuilder& Geneve(uint32_t vni, size_t options_size = 0);
  PacketBuilder& Gre();
  PacketBuilder& GreKey(uint32_t key);
  PacketBuilder& GtpU(uint32_t teid);

  // Any header of one's own: it is copied as it is, and the layer in front announces `protocol` (an
  // EtherType or an IP protocol number, whatever that layer has a field for).
  PacketBuilder& Raw(const Bytes& header, uint16_t protocol);

  PacketBuilder& Payload(size_t size, uint8_t first = 0);  // counts up from `first`
  PacketBuilder& Payload(std::string_view text);
  PacketBuilder& Payload(const Bytes& bytes);
  PacketBuilder& Padding(size_t size);  // behind everything, in no length field

  Bytes Build() const;

 private:
  // How a layer is announced by the one in front of it.
  struct Kind {
    uint16_t ether_type = 0;
    uint16_t ppp = 0;
    uint8_t ip = 59;
    uint8_t version = 0;     // 4 or 6
    bool extension = false;  // IPv6 extension header
    int checksum_at = -1;    // offset of a checksum over the pseudo header
    bool mpls = false;
    bool length = false;  // 802.3: the field in front is a length
  };
  using Finish = std::function<void(Bytes& header, const Bytes& body, const Kind& next)>;
  struct Layer {
    Kind kind;
    Bytes header;
    Finish finish;
  };

  PacketBuilder& Add(const Kind& kind, Bytes header, Finish finish);
  PacketBuilder& Extension(uint8_t number, size_t size, size_t length_unit);
  void FixTransport(const Layer& ip, size_t index, Bytes& body) const;

  std::vector<Layer> layers_;
  Bytes payload_;
  Bytes padding_;
};

// A frame over `bytes`, which must outlive it.
Frame AsFrame(const Bytes& bytes, uint16_t link_type = link_type::kEthernet,
              int64_t timestamp_ns = 0);

Bytes Ipv4Address(std::string_view text);
Bytes Ipv6Address(std::string_view text);

}  // namespace weir::test

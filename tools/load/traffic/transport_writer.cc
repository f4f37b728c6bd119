#include "tools/load/traffic/transport_writer.h"

#include <cstring>

#include "engine/packet/checksum.h"
#include "engine/packet/packet.h"
#include "tools/load/traffic/store.h"

namespace weir::load {
namespace {

// RFC 9293 section 3.1; options: its section 3.2, RFC 7323 section 2.2, RFC 2018 section 2.
uint32_t WriteTcpHeader(uint8_t* tcp, const FlowIdentity& identity, const PacketPlan& plan) {
  const bool options = (plan.tcp_flags & tcp_flag::kSyn) != 0;
  Store16(tcp, identity.ports[plan.direction]);
  Store16(tcp + 2, identity.ports[1 - plan.direction]);
  Store32(tcp + 4, plan.sequence);
  Store32(tcp + 8, plan.acknowledgement);
  tcp[12] = options ? 0x80 : 0x50;
  tcp[13] = plan.tcp_flags;
  Store16(tcp + 14, plan.window);
  Store32(tcp + 16, 0);
  if (!options) return kTcpBytes;
  constexpr uint8_t kOptions[kSynOptionBytes] = {2, 4, 0x05, 0xb4, 1, 3, 3, kWindowScale,
                                                 1, 1, 4,    2};
  std::memcpy(tcp + kTcpBytes, kOptions, sizeof kOptions);
  return kTcpBytes + kSynOptionBytes;
}

// RFC 768.
uint32_t WriteUdpHeader(uint8_t* udp, const FlowIdentity& identity, const PacketPlan& plan) {
  Store16(udp, identity.ports[plan.direction]);
  Store16(udp + 2, identity.ports[1 - plan.direction]);
  Store16(udp + 4, kUdpBytes + plan.payload);
  Store16(udp + 6, 0);
  return kUdpBytes;
}

// Echo and its reply: RFC 792, RFC 4443 section 4.
uint32_t WriteIcmpHeader(uint8_t* icmp, const FlowIdentity& identity, const PacketPlan& plan) {
  const uint8_t types[2][2] = {{8, 0}, {128, 129}};
  icmp[0] = types[identity.protocol == ip_protocol::kIcmpv6][plan.direction];
  icmp[1] = 0;
  Store16(icmp + 2, 0);
  Store16(icmp + 4, identity.ports[0]);
  Store16(icmp + 6, plan.echo);
  return kIcmpBytes;
}

}  // namespace

uint32_t TransportHeaderBytes(uint8_t protocol) {
  if (protocol == ip_protocol::kTcp) return kTcpBytes;
  return protocol == ip_protocol::kUdp ? kUdpBytes : kIcmpBytes;
}

uint32_t WriteTransport(uint8_t* at, const FlowIdentity& identity, const PacketPlan& plan,
                        const PayloadPattern& pattern) {
  uint32_t header, checksum_at;
  if (identity.protocol == ip_protocol::kTcp) {
    header = WriteTcpHeader(at, identity, plan);
    checksum_at = 16;
  } else if (identity.protocol == ip_protocol::kUdp) {
    header = WriteUdpHeader(at, identity, plan);
    checksum_at = 6;
  } else {
    header = WriteIcmpHeader(at, identity, plan);
    checksum_at = 2;
  }
  pattern.Write(plan.offset, {at + header, plan.payload});
  const uint32_t size = header + plan.payload;
  const uint64_t pseudo = identity.protocol == ip_protocol::kIcmp
                              ? 0
                              : PseudoHeaderSum(identity.addresses[0], identity.addresses[1],
                                                identity.ipv6 ? 16 : 4, identity.protocol, size);
  uint16_t checksum = ChecksumFold(ChecksumAdd(at, size, pseudo));
  if (checksum == 0 && identity.protocol == ip_protocol::kUdp) checksum = 0xffff;  // 0: none
  std::memcpy(at + checksum_at, &checksum, sizeof checksum);
  return size;
}

}  // namespace weir::load

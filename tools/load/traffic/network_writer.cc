#include "tools/load/traffic/network_writer.h"

#include <cstring>

#include "engine/packet/checksum.h"
#include "engine/packet/packet.h"
#include "tools/load/traffic/store.h"

namespace weir::load {
namespace {

constexpr uint32_t kIpv6FragmentBytes = 8;  // RFC 8200 section 4.5
constexpr uint32_t kUdpBytes = 8, kVxlanBytes = 8, kGreBytes = 4;
constexpr uint32_t kEtherIpv4 = 0x0800, kEtherIpv6 = 0x86dd, kEtherVlan = 0x8100;
constexpr uint8_t kHopLimit = 64;
constexpr uint8_t kFragmentHeader = 44;                          // next header
constexpr uint32_t kTunnelEnds[2] = {0xac10'0001, 0xac10'0002};  // 172.16.0.1, .2
constexpr uint16_t kVxlanPort = 4789;
constexpr uint32_t kVxlanNetwork = 7;

uint32_t EtherTypeOf(const FlowIdentity& identity) {
  return identity.ipv6 ? kEtherIpv6 : kEtherIpv4;
}

uint8_t* WriteEthernet(uint8_t* at, uint32_t flow, uint32_t type) {
  constexpr uint64_t kLocal = 0x0002'0000'0000'0002;  // locally administered, both
  std::memcpy(at, &kLocal, sizeof kLocal);
  Store32(at + 8, flow);
  Store16(at + 12, type);
  return at + kEthernetBytes;
}

uint8_t* WriteIpv4(uint8_t* ip, uint8_t protocol, uint32_t size, uint16_t identification,
                   const uint8_t* source, const uint8_t* destination, const FragmentPlace& place) {
  const uint32_t fragment = place.whole ? 0x4000 : place.offset / 8 | (place.more ? 0x2000 : 0);
  uint32_t words[kIpv4Bytes / 4] = {
      WordOf(0x4500, kIpv4Bytes + size), WordOf(identification, fragment),
      WordOf(uint32_t{kHopLimit} << 8 | protocol, 0), LoadNative<uint32_t>(source),
      LoadNative<uint32_t>(destination)};
  words[2] |= SecondHalf(ChecksumFold(SumOf(words)));
  std::memcpy(ip, words, sizeof words);
  return ip + kIpv4Bytes;
}

uint8_t* WriteIpv6(uint8_t* ip, uint8_t protocol, uint32_t size, uint16_t identification,
                   const uint8_t* source, const uint8_t* destination, const FragmentPlace& place) {
  Store32(ip, 0x6000'0000);
  Store16(ip + 4, size + (place.whole ? 0 : kIpv6FragmentBytes));
  ip[6] = place.whole ? protocol : kFragmentHeader;
  ip[7] = kHopLimit;
  std::memcpy(ip + 8, source, 16);
  std::memcpy(ip + 24, destination, 16);
  ip += kIpv6Bytes;
  if (place.whole) return ip;
  ip[0] = protocol;
  ip[1] = 0;
  Store16(ip + 2, place.offset | (place.more ? 1 : 0));
  Store32(ip + 4, identification);
  return ip + kIpv6FragmentBytes;
}

// VXLAN: RFC 7348 section 5; GRE: RFC 2784 section 2; IP in IP: RFC 2003, RFC 4213.
uint8_t* WriteTunnel(uint8_t* at, const FlowIdentity& identity, uint32_t flow, int direction,
                     uint16_t identification, uint32_t inner) {
  const uint32_t size = kTunnelBytes[static_cast<size_t>(identity.tunnel)] - kIpv4Bytes + inner;
  uint8_t ends[2][4];
  Store32(ends[direction], kTunnelEnds[0]);
  Store32(ends[1 - direction], kTunnelEnds[1]);
  uint8_t protocol = identity.ipv6 ? ip_protocol::kIpv6 : ip_protocol::kIpip;
  if (identity.tunnel == TunnelKind::kVxlan) protocol = ip_protocol::kUdp;
  if (identity.tunnel == TunnelKind::kGre) protocol = ip_protocol::kGre;
  at = WriteIpv4(at, protocol, size, identification, ends[0], ends[1], {});
  if (identity.tunnel == TunnelKind::kGre) {
    Store16(at, 0);
    Store16(at + 2, EtherTypeOf(identity));
    return at + kGreBytes;
  }
  if (identity.tunnel == TunnelKind::kIpInIp) return at;
  Store16(at, 0xc000 | (flow * 0x9e37'79b1 >> 18));  // of the inner flow, among the dynamic ports
  Store16(at + 2, kVxlanPort);
  Store16(at + 4, size);
  Store16(at + 6, 0);
  Store32(at + 8, 0x0800'0000);
  Store32(at + 12, kVxlanNetwork << 8);
  return WriteEthernet(at + kUdpBytes + kVxlanBytes, flow, EtherTypeOf(identity));
}

}  // namespace

uint32_t FragmentHeaderBytes(const FlowIdentity& identity) {
  return identity.ipv6 ? kIpv6FragmentBytes : 0;
}

uint32_t WriteNetworkHeaders(uint8_t* frame, const FlowIdentity& identity, uint32_t flow,
                             int direction, uint16_t identification, uint32_t size,
                             const FragmentPlace& place) {
  const bool tunnelled = identity.tunnel != TunnelKind::kNone;
  const uint32_t type = tunnelled ? kEtherIpv4 : EtherTypeOf(identity);
  uint8_t* at = WriteEthernet(frame, flow, identity.vlan ? kEtherVlan : type);
  if (identity.vlan) {
    Store16(at, *identity.vlan);
    Store16(at + 2, type);
    at += kVlanBytes;
  }
  if (tunnelled) {
    const uint32_t ip_bytes = identity.ipv6 ? kIpv6Bytes : kIpv4Bytes;
    const uint32_t fragment_bytes = place.whole ? 0 : FragmentHeaderBytes(identity);
    at = WriteTunnel(at, identity, flow, direction, identification,
                     ip_bytes + fragment_bytes + size);
  }
  const auto write = identity.ipv6 ? &WriteIpv6 : &WriteIpv4;
  at = write(at, identity.protocol, size, identification, identity.addresses[direction],
             identity.addresses[1 - direction], place);
  return static_cast<uint32_t>(at - frame);
}

}  // namespace weir::load

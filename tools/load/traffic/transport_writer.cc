#include "tools/load/traffic/transport_writer.h"

#include <cstring>

#include "engine/packet/checksum.h"
#include "engine/packet/packet.h"
#include "tools/load/traffic/store.h"

namespace weir::load {
namespace {

// A header in words, the place of its checksum empty, without a TCP header's options.
struct Header {
  uint32_t words[kTcpBytes / 4] = {};
  uint32_t bytes = 0;
  uint32_t checksum_word = 0;
  bool checksum_first = false;  // it is the first half of that word
};

// RFC 9293 section 3.1.
Header TcpHeader(const FlowIdentity& identity, const PacketPlan& plan, uint32_t bytes) {
  return {.words = {WordOf(identity.ports[plan.direction], identity.ports[1 - plan.direction]),
                    WordOf(plan.sequence), WordOf(plan.acknowledgement),
                    WordOf(bytes / 4 << 12 | plan.tcp_flags, plan.window), 0},
          .bytes = kTcpBytes,
          .checksum_word = 4,
          .checksum_first = true};
}

// RFC 768.
Header UdpHeader(const FlowIdentity& identity, const PacketPlan& plan) {
  return {.words = {WordOf(identity.ports[plan.direction], identity.ports[1 - plan.direction]),
                    WordOf(kUdpBytes + plan.payload, 0)},
          .bytes = kUdpBytes,
          .checksum_word = 1};
}

// Echo and its reply: RFC 792, RFC 4443 section 4.
Header IcmpHeader(const FlowIdentity& identity, const PacketPlan& plan) {
  constexpr uint8_t kTypes[2][2] = {{8, 0}, {128, 129}};
  const uint8_t type = kTypes[identity.protocol == ip_protocol::kIcmpv6][plan.direction];
  return {.words = {WordOf(uint32_t{type} << 8, 0), WordOf(identity.ports[0], plan.echo)},
          .bytes = kIcmpBytes};
}

// Maximum segment size, window scale, selective acknowledgements permitted: RFC 9293 section 3.2,
// RFC 7323 section 2.2, RFC 2018 section 2.
constexpr uint8_t kSynOptions[kSynOptionBytes] = {2, 4, 0x05, 0xb4, 1, 3, 3, kWindowScale,
                                                  1, 1, 4,    2};

uint64_t PseudoHeaderSumOf(const FlowIdentity& identity, uint32_t size) {
  if (identity.protocol == ip_protocol::kIcmp) return 0;
  if (identity.ipv6) {
    return PseudoHeaderSum(identity.addresses[0], identity.addresses[1], 16, identity.protocol,
                           size);
  }
  const uint32_t words[] = {LoadNative<uint32_t>(identity.addresses[0]),
                            LoadNative<uint32_t>(identity.addresses[1]),
                            WordOf(identity.protocol, size)};
  return SumOf(words);
}

}  // namespace

uint32_t TransportHeaderBytes(uint8_t protocol) {
  if (protocol == ip_protocol::kTcp) return kTcpBytes;
  return protocol == ip_protocol::kUdp ? kUdpBytes : kIcmpBytes;
}

uint32_t WriteTransport(uint8_t* at, const FlowIdentity& identity, const PacketPlan& plan,
                        const PayloadPattern& pattern) {
  const bool tcp = identity.protocol == ip_protocol::kTcp;
  const bool options = tcp && (plan.tcp_flags & tcp_flag::kSyn) != 0;
  const uint32_t header_bytes =
      TransportHeaderBytes(identity.protocol) + (options ? kSynOptionBytes : 0);
  Header header = tcp                                      ? TcpHeader(identity, plan, header_bytes)
                  : identity.protocol == ip_protocol::kUdp ? UdpHeader(identity, plan)
                                                           : IcmpHeader(identity, plan);
  const uint32_t size = header_bytes + plan.payload;
  uint64_t sum = SumOf(header.words) + PseudoHeaderSumOf(identity, size);
  if (options) {
    std::memcpy(at + kTcpBytes, kSynOptions, sizeof kSynOptions);
    sum = ChecksumAdd(kSynOptions, sizeof kSynOptions, sum);
  }
  if (plan.payload != 0) sum += pattern.Write(plan.offset, {at + header_bytes, plan.payload});
  uint16_t checksum = ChecksumFold(sum);
  if (checksum == 0 && identity.protocol == ip_protocol::kUdp) checksum = 0xffff;  // 0: none
  header.words[header.checksum_word] |=
      header.checksum_first ? FirstHalf(checksum) : SecondHalf(checksum);
  std::memcpy(at, header.words, header.bytes);
  return size;
}

}  // namespace weir::load

#include "tools/load/traffic/transport_writer.h"

#include <cstring>

#include "engine/packet/checksum.h"
#include "engine/packet/packet.h"
#include "tools/load/traffic/store.h"

namespace weir::load {
namespace {

// Maximum segment size, window scale, selective acknowledgements permitted: RFC 9293 section 3.2,
// RFC 7323 section 2.2, RFC 2018 section 2.
constexpr uint8_t kSynOptions[kSynOptionBytes] = {2, 4, 0x05, 0xb4, 1, 3, 3, kWindowScale,
                                                  1, 1, 4,    2};

// Headers are made of words in which the place of the checksum is empty, and which are written when
// it is known.

uint64_t PseudoHeaderSumOf(const FlowIdentity& identity, uint32_t size) {
  if (identity.ipv6) {
    return PseudoHeaderSum(identity.addresses[0], identity.addresses[1], 16, identity.protocol,
                           size);
  }
  const uint32_t words[] = {LoadNative<uint32_t>(identity.addresses[0]),
                            LoadNative<uint32_t>(identity.addresses[1]),
                            WordOf(identity.protocol, size)};
  return SumOf(words);
}

// Writes the payload and returns its sum.
uint64_t WritePayload(uint8_t* at, const PacketPlan& plan, const PayloadPattern& pattern) {
  return plan.payload == 0 ? 0 : pattern.Write(plan.offset, {at, plan.payload});
}

uint32_t PortsWord(const FlowIdentity& identity, const PacketPlan& plan) {
  return WordOf(identity.ports[plan.direction], identity.ports[1 - plan.direction]);
}

// RFC 9293 section 3.1.
uint32_t WriteTcp(uint8_t* at, const FlowIdentity& identity, const PacketPlan& plan,
                  const PayloadPattern& pattern) {
  const uint32_t options = (plan.tcp_flags & tcp_flag::kSyn) != 0 ? kSynOptionBytes : 0;
  const uint32_t header = kTcpBytes + options, size = header + plan.payload;
  uint32_t words[kTcpBytes / 4] = {PortsWord(identity, plan), WordOf(plan.sequence),
                                   WordOf(plan.acknowledgement),
                                   WordOf(header / 4 << 12 | plan.tcp_flags, plan.window), 0};
  uint64_t sum = SumOf(words) + PseudoHeaderSumOf(identity, size);
  if (options != 0) {
    std::memcpy(at + kTcpBytes, kSynOptions, sizeof kSynOptions);
    sum = ChecksumAdd(kSynOptions, sizeof kSynOptions, sum);
  }
  words[4] = FirstHalf(ChecksumFold(sum + WritePayload(at + header, plan, pattern)));
  std::memcpy(at, words, sizeof words);
  return size;
}

// RFC 768.
uint32_t WriteUdp(uint8_t* at, const FlowIdentity& identity, const PacketPlan& plan,
                  const PayloadPattern& pattern) {
  const uint32_t size = kUdpBytes + plan.payload;
  uint32_t words[kUdpBytes / 4] = {PortsWord(identity, plan), WordOf(size, 0)};
  const uint64_t sum = SumOf(words) + PseudoHeaderSumOf(identity, size) +
                       WritePayload(at + kUdpBytes, plan, pattern);
  const uint16_t checksum = ChecksumFold(sum);
  words[1] |= SecondHalf(checksum != 0 ? checksum : 0xffff);  // 0: none
  std::memcpy(at, words, sizeof words);
  return size;
}

// Echo and its reply: RFC 792, RFC 4443 section 4.
uint32_t WriteIcmp(uint8_t* at, const FlowIdentity& identity, const PacketPlan& plan,
                   const PayloadPattern& pattern) {
  constexpr uint32_t kTypes[2][2] = {{8, 0}, {128, 129}};
  const uint32_t size = kIcmpBytes + plan.payload;
  uint32_t words[kIcmpBytes / 4] = {WordOf(kTypes[identity.ipv6][plan.direction] << 8, 0),
                                    WordOf(identity.ports[0], plan.echo)};
  const uint64_t sum = SumOf(words) + (identity.ipv6 ? PseudoHeaderSumOf(identity, size) : 0) +
                       WritePayload(at + kIcmpBytes, plan, pattern);
  words[0] |= SecondHalf(ChecksumFold(sum));
  std::memcpy(at, words, sizeof words);
  return size;
}

}  // namespace

uint32_t WriteTransport(uint8_t* at, const FlowIdentity& identity, const PacketPlan& plan,
                        const PayloadPattern& pattern) {
  if (identity.protocol == ip_protocol::kTcp) return WriteTcp(at, identity, plan, pattern);
  if (identity.protocol == ip_protocol::kUdp) return WriteUdp(at, identity, plan, pattern);
  return WriteIcmp(at, identity, plan, pattern);
}

}  // namespace weir::load

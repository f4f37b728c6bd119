#include "engine/export/community_id.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>

#include <cstring>
#include <optional>
#include <span>
#include <utility>

namespace weir {
namespace {

struct Ports {
  uint16_t source = 0;
  uint16_t destination = 0;
  bool present = false;
  bool one_way = false;  // the two directions have different identifiers: never swap
};

struct TypePair {
  uint8_t request;
  uint8_t reply;
};
constexpr TypePair kIcmpPairs[] = {{8, 0}, {10, 9}, {13, 14}, {15, 16}, {17, 18}};
constexpr TypePair kIcmpv6Pairs[] = {{128, 129}, {130, 131}, {133, 134},
                                     {135, 136}, {139, 140}, {144, 145}};

// The type that answers `type`, if ICMP has one.
std::optional<uint8_t> Counterpart(std::span<const TypePair> pairs, uint8_t type) {
  for (const TypePair& pair : pairs) {
    if (pair.request == type) return pair.reply;
    if (pair.reply == type) return pair.request;
  }
  return std::nullopt;
}

Ports IcmpPorts(std::span<const TypePair> pairs, uint8_t type, uint8_t code) {
  const std::optional<uint8_t> answer = Counterpart(pairs, type);
  return {type, answer.value_or(code), true, !answer.has_value()};
}

Ports PortsOf(const FlowKey& key, uint8_t icmp_type, uint8_t icmp_code) {
  switch (key.protocol) {
    case ip_protocol::kIcmp:
      return IcmpPorts(kIcmpPairs, icmp_type, icmp_code);
    case ip_protocol::kIcmpv6:
      return IcmpPorts(kIcmpv6Pairs, icmp_type, icmp_code);
    case ip_protocol::kTcp:
    case ip_protocol::kUdp:
    case ip_protocol::kSctp:
      return {key.source_port, key.destination_port, true, false};
    default:
      return {};
  }
}

// What is hashed: seed, addresses, protocol, padding, ports; all in network order.
class Input {
 public:
  void Add(const void* bytes, size_t size) {
    std::memcpy(bytes_ + size_, bytes, size);
    size_ += size;
  }
  void Add8(uint8_t value) { bytes_[size_++] = value; }
  void Add16(uint16_t value) {
    Add8(static_cast<uint8_t>(value >> 8));
    Add8(static_cast<uint8_t>(value));
  }
  std::span<const uint8_t> bytes() const { return {bytes_, size_}; }

 private:
  uint8_t bytes_[2 + 2 * 16 + 2 + 2 * 2];
  size_t size_ = 0;
};

}  // namespace

CommunityId CommunityIdOf(const FlowKey& key, uint8_t icmp_type, uint8_t icmp_code) {
  const size_t length = key.family == AddressFamily::kIpv4 ? 4 : 16;
  const uint8_t* low = key.source.data();
  const uint8_t* high = key.destination.data();
  Ports ports = PortsOf(key, icmp_type, icmp_code);
  const int order = std::memcmp(low, high, length);
  if (!ports.one_way && (order > 0 || (order == 0 && ports.source > ports.destination))) {
    std::swap(low, high);
    std::swap(ports.source, ports.destination);
  }

  Input input;
  input.Add16(0);  // the seed
  input.Add(low, length);
  input.Add(high, length);
  input.Add8(key.protocol);
  input.Add8(0);
  if (ports.present) {
    input.Add16(ports.source);
    input.Add16(ports.destination);
  }

  sha1_ctx sha1;
  sha1_init(&sha1);
  sha1_update(&sha1, input.bytes().size(), input.bytes().data());
  uint8_t digest[SHA1_DIGEST_SIZE];
  sha1_digest(&sha1, sizeof(digest), digest);

  CommunityId id;
  static_assert(2 + BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE) == 30);
  id.text[0] = '1';
  id.text[1] = ':';
  base64_encode_raw(id.text.data() + 2, sizeof(digest), digest);
  return id;
}

}  // namespace weir

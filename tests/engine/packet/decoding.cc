#include "tests/engine/packet/decoding.h"

#include <arpa/inet.h>

namespace weir::test {

std::string Decoded::Address(const uint8_t* address) const {
  if (address == nullptr) return "null";
  if (packet.family == AddressFamily::kMac) return std::string(address, address + 6);
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(packet.family == AddressFamily::kIpv6 ? AF_INET6 : AF_INET, address, text, sizeof text);
  return text;
}

Decoded DecodeFrame(const Bytes& bytes, const Frame& frame, const DecoderOptions& options) {
  Decoded result;
  result.bytes = bytes;
  result.frame = frame;
  result.frame.data = result.bytes.data();
  Decoder(options).Decode(result.frame, result.packet, *result.path);
  return result;
}

Decoded DecodeFrame(const Bytes& bytes, uint16_t link_type, const DecoderOptions& options) {
  return DecodeFrame(bytes, AsFrame(bytes, link_type), options);
}

Decoded DecodeFrame(const PacketBuilder& builder, uint16_t link_type,
                    const DecoderOptions& options) {
  return DecodeFrame(builder.Build(), link_type, options);
}

std::string VerdictOf(const Packet& packet) {
  switch (packet.verdict) {
    case Verdict::kTracked:
      return "tracked";
    case Verdict::kNotIp:
      return "not_ip";
    case Verdict::kFragmentHeld:
      return "fragment_held";
    case Verdict::kMalformed:
      return "malformed " + std::string(Name(static_cast<Malformed>(packet.reason)));
    default:
      return "?";
  }
}

}  // namespace weir::test

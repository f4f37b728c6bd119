// Shorthand of the decoder's tests: a frame, decoded, with its bytes and its path kept alive.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "engine/packet/decoder.h"
#include "tests/support/packet_builder.h"

namespace weir::test {

struct Decoded {
  Bytes bytes;
  Frame frame;
  Packet packet;
  std::unique_ptr<TunnelPath> path = std::make_unique<TunnelPath>();

  std::string source() const { return Address(packet.source); }
  std::string destination() const { return Address(packet.destination); }
  std::string_view payload() const {
    return {reinterpret_cast<const char*>(packet.payload), packet.payload_length};
  }
  // The identity's bytes; empty when there is none.
  std::string identity() const {
    if (packet.tunnel == nullptr) return "";
    return std::string(reinterpret_cast<const char*>(packet.tunnel->bytes), packet.tunnel->length);
  }
  bool Is(Anomaly anomaly) const { return packet.anomalies >> static_cast<unsigned>(anomaly) & 1; }

 private:
  std::string Address(const uint8_t* address) const;
};

Decoded DecodeFrame(const Bytes& bytes, uint16_t link_type = link_type::kEthernet,
                    const DecoderOptions& options = {});
Decoded DecodeFrame(const PacketBuilder& builder, uint16_t link_type = link_type::kEthernet,
                    const DecoderOptions& options = {});
// With an own idea of lengths or metadata: frame.data is set here.
Decoded DecodeFrame(const Bytes& bytes, const Frame& frame, const DecoderOptions& options = {});

// "tracked", "malformed link_truncated"...
std::string VerdictOf(const Packet& packet);

}  // namespace weir::test

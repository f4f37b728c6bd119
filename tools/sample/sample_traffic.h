// A little made-up traffic as whole frames: for the examples and for a first look without a capture
// at hand. Each conversation is a client that asks a name server, then fetches something by TCP.
// Addresses are those set aside for documentation (RFC 5737).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "rings/frame.h"

namespace weir::sample {

// Owns the bytes that frames() borrow.
class Traffic {
 public:
  static constexpr int kFlowsPerConversation = 2;     // one of UDP, one of TCP
  static constexpr int kPacketsPerConversation = 11;  // 2 of UDP, 9 of TCP

  explicit Traffic(int conversations);

  std::span<const Frame> frames() const { return frames_; }

 private:
  struct Endpoint {
    uint32_t address;
    uint16_t port;
  };
  // What stands behind the IP header.
  struct Segment {
    uint8_t protocol;
    std::vector<uint8_t> bytes;  // transport header with a zero checksum, payload
    size_t checksum_at;
  };

  void AddConversation(uint32_t number);
  void AddUdp(const Endpoint& from, const Endpoint& to, std::string_view payload);
  void AddTcp(const Endpoint& from, const Endpoint& to, uint8_t flags, uint32_t seq, uint32_t ack,
              std::string_view payload = {});
  void AddFrame(const Endpoint& from, const Endpoint& to, Segment segment);

  std::vector<std::vector<uint8_t>> bytes_;
  std::vector<Frame> frames_;
  int64_t time_ns_ = 1'700'000'000'000'000'000;
};

}  // namespace weir::sample

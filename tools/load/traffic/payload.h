// Payload that can be checked wherever it turns up: the 64-bit word i of one direction of a flow is
// base + i * step (modulo 2^64, little-endian), so that it tells its own place. The base is a
// function of seed, flow and direction, the step is one odd constant.
//
// A datagram (UDP, ICMP echo) number n of a direction starts at offset n * kDatagramStride. A TCP
// stream starts at 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace weir::load {

inline constexpr uint64_t kDatagramStride = 1 << 16;  // bytes
inline constexpr uint32_t kLeastDatagram = 8;         // bytes: what tells a datagram's place

// One direction of one flow: 0 from the initiator. Thread: any.
class PayloadPattern {
 public:
  PayloadPattern(uint64_t seed, uint64_t flow, int direction);

  // The bytes from `offset` on. Returns their sum for a checksum, see ChecksumAdd.
  uint64_t Write(uint64_t offset, std::span<uint8_t> to) const;
  // How many of `bytes` are as they should be before the first that is not.
  size_t Matching(uint64_t offset, std::span<const uint8_t> bytes) const;
  // Where a datagram's payload starts, from its first 8 bytes; none: fewer, or no start of one.
  std::optional<uint64_t> DatagramOffset(std::span<const uint8_t> bytes) const;
  // The offset, a stream's or a datagram's, at which these bytes stand, from the first 15 that tell
  // it; none: fewer, or they stand nowhere in the first 2^43.
  std::optional<uint64_t> Locate(std::span<const uint8_t> bytes) const;

 private:
  uint64_t base_;
};

// A probe is a UDP datagram of a flow of its own (its number: kProbeFlow) whose payload is a mark,
// its number and its send time, each little-endian; a sender writes the time just before the frame
// leaves. Its UDP checksum is 0, which is none (RFC 768), so that nothing else is to be changed.
struct ProbePayload {
  uint64_t mark;     // kProbeMark
  uint64_t number;   // 0, 1...
  uint64_t sent_ns;  // CLOCK_MONOTONIC of the sender; 0: it does not stamp
};
inline constexpr uint64_t kProbeMark = 0x6562'6f72'7072'6977;  // "wirprobe"
// Where the payload of each probe starts in its frame: Ethernet, IPv4, UDP.
inline constexpr uint32_t kProbeOffset = 14 + 20 + 8;
inline constexpr uint32_t kProbeFrameBytes = kProbeOffset + sizeof(ProbePayload);

}  // namespace weir::load

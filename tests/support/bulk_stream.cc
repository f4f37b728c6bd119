#include "tests/support/bulk_stream.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "engine/packet/packet.h"

namespace weir::test {

BulkStream::BulkStream(const Options& options)
    : options_(options), wires_(kChunk), frames_(kChunk) {
  for (Wire& wire : wires_) {
    std::memset(&wire, 0, 54);
    uint8_t* ip = wire.bytes + 14;
    wire.bytes[12] = 0x08;
    ip[0] = 0x45;
    const uint16_t length = htons(40 + kBulkSegment);
    std::memcpy(ip + 2, &length, 2);
    ip[8] = 64;
    ip[9] = ip_protocol::kTcp;
    const uint32_t addresses[2] = {htonl(0x0a000001), htonl(0x0a000002)};
    std::memcpy(ip + 12, addresses, 8);
    const uint16_t ports[2] = {htons(1000), htons(80)};
    std::memcpy(ip + 20, ports, 4);
    ip[32] = 0x50;
    ip[33] = tcp_flag::kAck;
  }
}

void BulkStream::Write(Wire& wire, uint64_t segment) const {
  const uint64_t offset = segment * kBulkSegment;
  const uint32_t sequence = htonl(options_.first_sequence + static_cast<uint32_t>(offset));
  std::memcpy(wire.bytes + 38, &sequence, 4);
  for (uint64_t at = 0; at < kBulkSegment; at += 8) {
    const uint64_t word = (offset + at) / 8;
    std::memcpy(wire.bytes + 54 + at, &word, 8);
  }
}

bool BulkStream::Refill(MemorySource& source) {
  for (;;) {
    if (left_.empty()) {
      size_t count = 0;
      for (; count < kChunk && next_ < options_.segments; ++next_) {
        if (next_ == options_.lost) continue;
        Write(wires_[count], next_);
        frames_[count] = {};
        frames_[count].data = wires_[count].bytes;
        frames_[count].captured_length = frames_[count].wire_length = sizeof(Wire);
        frames_[count].timestamp_ns =
            1'700'000'000'000'000'000 + static_cast<int64_t>(next_) * options_.segment_ns;
        ++count;
      }
      left_ = std::span<const Frame>(frames_).first(count);
      if (count == 0) return false;
    }
    left_ = left_.subspan(source.Refill(left_));
    if (!left_.empty()) return true;
  }
}

bool BulkBytesAreRight(uint64_t offset, const uint8_t* data, uint64_t size) {
  const auto byte_at = [](uint64_t at) { return static_cast<uint8_t>(at / 8 >> (at % 8 * 8)); };
  uint64_t i = 0;
  for (; i < size && (offset + i) % 8 != 0; ++i) {
    if (data[i] != byte_at(offset + i)) return false;
  }
  for (; i + 8 <= size; i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, data + i, 8);
    if (word != (offset + i) / 8) return false;
  }
  for (; i < size; ++i) {
    if (data[i] != byte_at(offset + i)) return false;
  }
  return true;
}

}  // namespace weir::test

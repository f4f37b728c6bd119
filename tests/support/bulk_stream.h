// One direction of a TCP connection at full size: 1448-byte segments, written into a memory source
// a block ring at a time, so that gigabytes go through without being held. The bytes tell their
// place: 64-bit words that count up.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/shard.h"
#include "rings/memory_source.h"

namespace weir::test {

inline constexpr uint32_t kBulkSegment = 1448;  // a multiple of 8

class BulkStream {
 public:
  struct Options {
    uint64_t segments = 1000;
    uint64_t lost = UINT64_MAX;   // number of the segment that is not there
    uint32_t first_sequence = 1;  // of segment 0
    int64_t segment_ns = 10'000;  // from one to the next
  };

  explicit BulkStream(const Options& options);

  // Fills the source's free blocks; false when there is no more.
  bool Refill(MemorySource& source);

 private:
  static constexpr size_t kChunk = 512;
  struct Wire {
    uint8_t bytes[54 + kBulkSegment];
  };
  void Write(Wire& wire, uint64_t segment) const;

  Options options_;
  uint64_t next_ = 0;
  std::vector<Wire> wires_;
  std::vector<Frame> frames_;
  std::span<const Frame> left_;
};

// Checks delivered bytes against their place, whatever their alignment.
bool BulkBytesAreRight(uint64_t offset, const uint8_t* data, uint64_t size);

}  // namespace weir::test

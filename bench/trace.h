// Traffic for benchmarks: frames of TCP flows in random order, and a ring that is refilled from
// them.
#pragma once

#include <time.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/packet/packet.h"
#include "rings/memory_source.h"

namespace weir::bench {

// True in test runs: small sizes, numbers without meaning.
bool SmallRun();

inline constexpr uint32_t kHeaderBytes = 54;  // Ethernet, IPv4, TCP

struct SegmentFields {
  uint32_t identity = 0;  // makes the addresses and the client's port
  uint32_t number = 0;    // see FlowOf; below 2^24
  uint32_t payload = 0;   // bytes
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint8_t flags = 0;
  bool from_server = false;
};

// Writes headers of kHeaderBytes in front of a payload that is there already, with right checksums.
void WriteHeaders(uint8_t* frame, const SegmentFields& segment);

struct TraceOptions {
  uint32_t flows = 100'000;
  uint32_t packets = 1u << 20;
  // Payload sizes and how often each stands in twelve packets.
  std::vector<std::pair<uint32_t, uint32_t>> mix = {{64, 7}, {576, 4}, {1448, 1}};
  bool random_order = true;  // false: flows take turns
};

// Ethernet/IPv4/TCP frames. Sequence numbers go on from packet to packet, all from the client.
class Trace {
 public:
  explicit Trace(const TraceOptions& options);
  std::span<const Frame> frames() const { return frames_; }

 private:
  std::vector<uint8_t> bytes_;
  std::vector<Frame> frames_;
};

// The flow number of a frame: it stands in the source's hardware address, in both directions.
inline uint32_t FlowOf(const uint8_t* frame) {
  return static_cast<uint32_t>(frame[9]) << 16 | static_cast<uint32_t>(frame[10]) << 8 | frame[11];
}

// CPU time of this thread: what other programs on the machine take does not count.
inline double ThreadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Endless frames of a trace in a ring: 8 MiB, written anew just before it is read. Time goes on
// from lap to lap.
class Feed {
 public:
  explicit Feed(std::span<const Frame> frames)
      : frames_(frames.begin(), frames.end()),
        lap_ns_(frames.back().timestamp_ns - frames.front().timestamp_ns + 1) {}
  // Fills the free blocks.
  void Refill(MemorySource& source) {
    while (true) {
      const size_t taken = source.Refill(std::span<const Frame>(frames_).subspan(next_));
      for (const size_t end = next_ + taken; next_ < end; ++next_)
        frames_[next_].timestamp_ns += lap_ns_;
      if (next_ < frames_.size()) return;
      next_ = 0;
    }
  }

 private:
  std::vector<Frame> frames_;
  int64_t lap_ns_;
  size_t next_ = 0;
};

}  // namespace weir::bench

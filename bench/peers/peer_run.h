// One run of a TCP reassembler over a StreamTraffic, and the line that it prints:
//
//   NAME SHAPE ns-per-packet bytes-delivered bytes-sent
//
// The ring is refilled outside the time, as in the benchmarks; only the reader's CPU time counts.
#pragma once

#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "bench/stream_traffic.h"
#include "bench/trace.h"

namespace weir::bench {

struct PeerRun {
  StreamShape shape;
  uint64_t packets;
};

// Arguments of a program: SHAPE PACKETS.
inline PeerRun RunOf(char** arguments) {
  return {static_cast<StreamShape>(std::atoi(arguments[1])),
          std::strtoull(arguments[2], nullptr, 10)};
}

// `step` reads some frames of the ring and returns how many; `delivered` is read at the end. Half
// of the packets go by before time is taken.
template <typename Step>
void RunPeer(const char* name, const PeerRun& run, StreamTraffic& traffic, MemorySource& source,
             const uint64_t& delivered, Step step) {
  uint64_t packets = 0, timed = 0;
  double seconds = 0;
  while (packets < run.packets) {
    traffic.Refill(source);
    const bool warm = packets >= run.packets / 2;
    const uint64_t before = packets;
    const double start = ThreadSeconds();
    while (source.ready()) packets += static_cast<uint64_t>(step());
    if (!warm) continue;
    seconds += ThreadSeconds() - start;
    timed += packets - before;
  }
  std::printf("%s %d %.1f %" PRIu64 " %" PRIu64 "\n", name, static_cast<int>(run.shape),
              seconds * 1e9 / static_cast<double>(timed), delivered, traffic.payload_bytes());
}

}  // namespace weir::bench

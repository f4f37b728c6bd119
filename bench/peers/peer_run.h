// One run of another library over frames in memory, and the line that it prints:
//
//   streams: NAME SHAPE ns-per-packet bytes-delivered bytes-sent
//   flows:   NAME SHAPE ns-per-packet flows-wrong flows-sent
//
// The ring is refilled outside the time, as in the benchmarks; only the reader's CPU time counts,
// and only after half of the packets.
#pragma once

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "bench/peers/flow_traffic.h"
#include "bench/stream_traffic.h"
#include "bench/trace.h"

namespace weir::bench {

struct PeerRun {
  bool flows;  // else streams
  int shape;   // a FlowShape or a StreamShape
  uint64_t packets;
};

// Arguments of a program: flows|streams SHAPE PACKETS.
inline PeerRun RunOf(char** arguments) {
  return {arguments[1] == std::string_view("flows"), std::atoi(arguments[2]),
          std::strtoull(arguments[3], nullptr, 10)};
}

struct PeerTime {
  uint64_t packets = 0;  // in all
  double ns = 0;         // per packet
};

// `step` reads some frames of the ring and returns how many.
template <typename Traffic, typename Step>
PeerTime TimePeer(const PeerRun& run, Traffic& traffic, MemorySource& source, Step step) {
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
  return {packets, seconds * 1e9 / static_cast<double>(timed)};
}

// `delivered` is read at the end.
template <typename Step>
void RunStreams(const char* name, const PeerRun& run, StreamTraffic& traffic, MemorySource& source,
                const uint64_t& delivered, Step step) {
  const PeerTime time = TimePeer(run, traffic, source, step);
  std::printf("%s %d %.1f %" PRIu64 " %" PRIu64 "\n", name, run.shape, time.ns, delivered,
              traffic.payload_bytes());
}

// `answer` tells `counts` of each flow that was found, at the end.
template <typename Step, typename Answer>
void RunFlows(const char* name, const PeerRun& run, FlowTraffic& traffic, MemorySource& source,
              Step step, Answer answer) {
  const PeerTime time = TimePeer(run, traffic, source, step);
  FlowAnswers answers;
  answer(answers);
  std::printf("%s %d %.1f %" PRIu64 " %" PRIu64 "\n", name, run.shape, time.ns,
              traffic.Wrong(answers, time.packets), traffic.Flows(time.packets));
}

}  // namespace weir::bench

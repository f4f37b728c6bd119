// Laps over a ring: refilled outside the time, read inside.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

#include "bench/trace.h"
#include "rings/memory_source.h"

namespace weir::bench {

inline void Report(benchmark::State& state, uint64_t packets) {
  state.SetItemsProcessed(static_cast<int64_t>(packets));
  state.counters["ns/packet"] =
      benchmark::Counter(static_cast<double>(packets) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Packets whose time is taken in one iteration, whatever they cost: refilling the ring takes far
// longer than a cheap stage does, and is most of what a run takes. Register with Iterations(1), so
// that nothing is repeated to find out how many there should be.
inline uint64_t PacketsAnIteration(uint64_t packets = 3u << 20) { return SmallRun() ? 1 : packets; }

// `feed` refills the ring; `step` reads some frames of it and returns how many. `warm_up` packets
// go by before time is taken, of `timed` or a few more.
template <typename Feed, typename Step>
void RunLaps(benchmark::State& state, MemorySource& source, Feed& feed, int64_t warm_up, Step step,
             uint64_t timed = PacketsAnIteration()) {
  uint64_t packets = 0;
  const auto lap = [&] {
    uint64_t taken = 0;
    while (source.ready()) taken += static_cast<uint64_t>(step());
    return taken;
  };
  for (int64_t left = SmallRun() ? 1 : warm_up; left > 0;) {
    feed.Refill(source);
    left -= static_cast<int64_t>(lap());
  }
  for (auto _ : state) {
    double seconds = 0;
    for (const uint64_t end = packets + timed; packets < end;) {
      feed.Refill(source);
      const double start = ThreadSeconds();
      packets += lap();
      seconds += ThreadSeconds() - start;
    }
    state.SetIterationTime(seconds);
  }
  Report(state, packets);
}

}  // namespace weir::bench

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

// `feed` refills the ring; `step` reads some frames of it and returns how many. `warm_up` packets
// go by before time is taken.
template <typename Feed, typename Step>
void RunLaps(benchmark::State& state, MemorySource& source, Feed& feed, int64_t warm_up,
             Step step) {
  uint64_t packets = 0;
  const auto lap = [&] {
    while (source.ready()) packets += static_cast<uint64_t>(step());
  };
  for (int64_t left = SmallRun() ? 1 : warm_up; left > 0;
       left -= static_cast<int64_t>(packets), packets = 0) {
    feed.Refill(source);
    lap();
  }
  packets = 0;
  for (auto _ : state) {
    feed.Refill(source);
    const double start = ThreadSeconds();
    lap();
    state.SetIterationTime(ThreadSeconds() - start);
  }
  Report(state, packets);
}

}  // namespace weir::bench

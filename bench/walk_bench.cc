// Walking a ring's blocks and reading each frame's first 64 bytes; nothing else. Arguments: blocks
// of 256 KiB (32: in the cache, 1,024: cold), payload bytes (0: 64, 576 and 1448 in 7:4:1).
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstring>

#include "bench/trace.h"
#include "rings/memory_source.h"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Every frame that is ready; the sum keeps the reads alive.
uint64_t WalkAll(MemorySource& source, uint64_t* frames_walked) {
  Frame frames[kBatchFrames];
  uint64_t sum = 0;
  while (const int count = source.Receive(frames)) {
    for (int i = 0; i < count; ++i) {
      uint64_t words[8];
      std::memcpy(words, frames[i].data, sizeof words);
      for (const uint64_t word : words) sum ^= word;
    }
    *frames_walked += static_cast<uint64_t>(count);
    source.Release();
  }
  return sum;
}

void Walk(benchmark::State& state) {
  TraceOptions options;
  if (SmallRun()) options.packets = 1 << 12;
  const auto payload = static_cast<uint32_t>(state.range(1));
  if (payload != 0) options.mix = {{payload, 1}};
  const Trace trace(options);
  Feed feed(trace.frames());
  const auto blocks = static_cast<uint32_t>(SmallRun() ? 4 : state.range(0));
  const auto source = *MemorySource::Create({.block_count = blocks});
  uint64_t frames = 0;
  for (auto _ : state) {
    feed.Refill(*source);
    const auto start = Clock::now();
    benchmark::DoNotOptimize(WalkAll(*source, &frames));
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count());
  }
  state.SetItemsProcessed(static_cast<int64_t>(frames));
  state.counters["ns/packet"] =
      benchmark::Counter(static_cast<double>(frames) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(Walk)
    ->ArgNames({"blocks", "payload"})
    ->ArgsProduct({{32, 1024}, {0, 64, 1448}})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir::bench

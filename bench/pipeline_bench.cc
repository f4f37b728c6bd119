// The whole pipeline from the memory source, beside the floor on the same blocks. The ring is
// refilled outside the time.
//
//   pipeline_bench --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <utility>

#include "bench/floor.h"
#include "bench/laps.h"
#include "bench/trace.h"
#include "engine/flow/flow_tracker.h"
#include "engine/packet/decoder.h"
#include "engine/shard.h"
#include "rings/block_writer.h"

namespace weir::bench {
namespace {

constexpr int64_t kMix = 0;     // payload: 64, 576 and 1448 bytes, 7:4:1
constexpr int64_t kSmall = 10;  // bytes: frames of 64 with their check sequence
constexpr int64_t kLarge = 1448;

// One at a time: those of ten million flows are large.
const Trace& TraceOf(int64_t payload, uint32_t flows) {
  static std::pair<int64_t, uint32_t> which;
  static std::unique_ptr<Trace> trace;
  if (trace == nullptr || which != std::pair(payload, flows)) {
    trace.reset();
    which = {payload, flows};
    TraceOptions options{.flows = flows};
    options.packets = std::max(options.packets, flows);
    if (payload != kMix) options.mix = {{static_cast<uint32_t>(payload), 1}};
    trace = std::make_unique<Trace>(options);
  }
  return *trace;
}

MemorySourceOptions RingOptions(bool cold) {
  return {.block_count = cold && !SmallRun() ? 1024u : 32u};
}

// Every flow is in its table before time is taken: a lap of the trace and a little.
int64_t WarmUp(const benchmark::State& state) {
  const int64_t lap = std::max<int64_t>(state.range(1), TraceOptions().packets);
  return lap + lap / 16;
}

void BM_Floor(benchmark::State& state) {
  const auto flows = static_cast<uint32_t>(state.range(1));
  const Trace& trace = TraceOf(state.range(0), flows);
  auto source = *MemorySource::Create(RingOptions(state.range(2) != 0));
  Floor floor(flows);
  Feed feed(trace.frames());
  RunLaps(state, *source, feed, WarmUp(state), [&] { return floor.Poll(*source); });
}

// Blocks of our own, written anew from the trace before each lap, as Refill does.
void BM_PlainFloor(benchmark::State& state) {
  constexpr size_t kBlockBytes = 256u << 10;
  const auto flows = static_cast<uint32_t>(state.range(1));
  const size_t blocks = RingOptions(state.range(2) != 0).block_count;
  const auto frames = TraceOf(state.range(0), flows).frames();
  Arena arena = *Arena::Create(blocks * kBlockBytes);
  auto* const ring = arena.Take<uint8_t>(blocks * kBlockBytes);
  Floor floor(flows);
  size_t next = 0;
  uint64_t packets = 0;
  for (auto _ : state) {
    double seconds = 0;
    for (const uint64_t end = packets + PacketsAnIteration(); packets < end;) {
      for (size_t block = 0; block < blocks; ++block) {
        BlockWriter writer(ring + block * kBlockBytes, kBlockBytes, block + 1);
        for (; writer.Append(frames[next]); next = next + 1 == frames.size() ? 0 : next + 1) {
        }
        writer.Close();
      }
      const double start = ThreadSeconds();
      for (size_t block = 0; block < blocks; ++block)
        packets += floor.WalkPlainly(ring + block * kBlockBytes);
      seconds += ThreadSeconds() - start;
    }
    state.SetIterationTime(seconds);
  }
  Report(state, packets);
}

// The first stages alone, on the same frames: what each adds is its part of the whole.
void BM_Walk(benchmark::State& state) {
  const Trace& trace = TraceOf(state.range(0), static_cast<uint32_t>(state.range(1)));
  auto source = *MemorySource::Create(RingOptions(state.range(2) != 0));
  Feed feed(trace.frames());
  std::array<Frame, kBatchFrames> frames;
  RunLaps(state, *source, feed, 1, [&] {
    source->Release();
    const int count = source->Receive(frames);
    benchmark::DoNotOptimize(frames.data());
    benchmark::ClobberMemory();
    return count;
  });
}

void BM_Decode(benchmark::State& state) {
  const Trace& trace = TraceOf(state.range(0), static_cast<uint32_t>(state.range(1)));
  auto source = *MemorySource::Create(RingOptions(state.range(2) != 0));
  Feed feed(trace.frames());
  const Decoder decoder;
  std::array<Frame, kBatchFrames> frames;
  std::array<Packet, kBatchFrames> packets;
  std::array<TunnelPath, kBatchFrames> paths;
  RunLaps(state, *source, feed, 1, [&] {
    source->Release();
    const auto count = static_cast<size_t>(source->Receive(frames));
    decoder.DecodeBatch(std::span(frames).first(count), std::span(packets).first(count),
                        std::span(paths).first(count));
    benchmark::DoNotOptimize(packets.data());
    benchmark::ClobberMemory();
    return count;
  });
}

void BM_Pipeline(benchmark::State& state) {
  const auto flows = static_cast<uint32_t>(state.range(1));
  const Trace& trace = TraceOf(state.range(0), flows);
  auto owned = *MemorySource::Create(RingOptions(state.range(2) != 0));
  MemorySource& source = *owned;
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(owned));
  ShardOptions options;
  options.flow.max_flows = flows + flows / 8;
  auto shard = *Shard::Create(options, std::move(sources));
  Feed feed(trace.frames());
  RunLaps(state, source, feed, WarmUp(state), [&] {
    const uint64_t before = shard->ledger().received;
    benchmark::DoNotOptimize(shard->Poll());
    return shard->ledger().received - before;
  });
  if (shard->flows().alive() != std::min<size_t>(flows, trace.frames().size())) {
    state.SkipWithError("not every flow was tracked");
  }
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"payload", "flows", "cold"});
  if (SmallRun()) {
    benchmark->Args({kMix, 1'000, 0});
  } else {
    for (const int64_t flows : {1, 1'000, 10'000, 100'000, 1'000'000, 10'000'000})
      benchmark->Args({kMix, flows, 0});
    benchmark->Args({kMix, 100'000, 1});
    for (const int64_t payload : {kSmall, int64_t{64}, int64_t{256}, int64_t{576}, kLarge})
      benchmark->Args({payload, 10'000, 0});
    benchmark->Args({kLarge, 1'000, 0});
  }
  benchmark->UseManualTime()->Iterations(1);
}
BENCHMARK(BM_PlainFloor)->Apply(Sizes);
BENCHMARK(BM_Walk)->Apply(Sizes);
BENCHMARK(BM_Decode)->Apply(Sizes);
BENCHMARK(BM_Floor)->Apply(Sizes);
BENCHMARK(BM_Pipeline)->Apply(Sizes);

}  // namespace
}  // namespace weir::bench

// TCP streams through the whole pipeline, from the memory source to the consumer's events, beside
// the floor on the same frames. The ring is refilled outside the time; every byte that was sent
// must have been delivered, or the benchmark fails.
//
//   stream_bench --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true
//
// Arguments: shape (0: 1,000 flows of 1448 bytes in order; 1: the same, 5 % displaced by 1 to 8; 2:
// 100,000 flows of five packets: stream_traffic.h). "unverified": the frames do not carry the
// kernel's word that their checksum is right, so the shard computes it.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <vector>

#include "bench/floor.h"
#include "bench/laps.h"
#include "bench/stream_shard.h"
#include "bench/stream_traffic.h"

namespace weir::bench {
namespace {

// Packets until all is as it stays: flows have begun, and as many end by time as begin.
int64_t WarmUp(const benchmark::State& state) {
  return static_cast<StreamShape>(state.range(0)) == StreamShape::kShort ? 1'200'000 : 50'000;
}

// Frames are made one by one, which takes far longer than reading them.
uint64_t Timed() { return PacketsAnIteration(1 << 20); }

ChecksumStatus StatusOf(bool unverified) {
  return unverified ? ChecksumStatus::kUnknown : ChecksumStatus::kValid;
}

// What a consumer does who wants the bytes in memory of its own, once each.
class CopyOut {
 public:
  void Take(const uint8_t* data, size_t size) {
    if (used_ + size > buffer_.size()) used_ = 0;
    std::memcpy(buffer_.data() + used_, data, size);
    used_ += size;
    benchmark::ClobberMemory();
  }

 private:
  std::array<uint8_t, 128 << 10> buffer_;
  size_t used_ = 0;
};

void BM_Floor(benchmark::State& state) {
  StreamTraffic traffic(static_cast<StreamShape>(state.range(0)));
  auto source = *MemorySource::Create({});
  Floor floor(traffic.flows());
  RunLaps(
      state, *source, traffic, WarmUp(state), [&] { return floor.Poll(*source); }, Timed());
}

// The payloads of a ring that was just written, and nothing else: where they lie is found out
// before time is taken.
void BM_BareCopy(benchmark::State& state) {
  StreamTraffic traffic(static_cast<StreamShape>(state.range(0)));
  auto source = *MemorySource::Create({});
  CopyOut copy;
  std::vector<Frame> frames(1 << 16);
  uint64_t packets = 0;
  for (auto _ : state) {
    traffic.Refill(*source);
    const int count = source->Receive(frames);
    if (source->ready()) return state.SkipWithError("more frames than there was room for");
    const double start = ThreadSeconds();
    for (const Frame& frame : std::span(frames).first(static_cast<size_t>(count))) {
      copy.Take(frame.data + kHeaderBytes, frame.captured_length - kHeaderBytes);
    }
    state.SetIterationTime(ThreadSeconds() - start);
    source->Release();
    packets += static_cast<uint64_t>(count);
  }
  Report(state, packets);
}

template <typename Consumer>
void RunStreams(benchmark::State& state, bool unverified, Consumer consume) {
  StreamTraffic traffic(static_cast<StreamShape>(state.range(0)), StatusOf(unverified));
  StreamShard shard(traffic);
  RunLaps(
      state, shard.source(), traffic, WarmUp(state), [&] { return shard.Step(consume); }, Timed());
  if (const char* fault = shard.Fault(traffic.payload_bytes())) state.SkipWithError(fault);
}

void BM_Streams(benchmark::State& state) {
  RunStreams(state, false, [](const Event&) {});
}

void BM_StreamsUnverified(benchmark::State& state) {
  RunStreams(state, true, [](const Event&) {});
}

void BM_StreamsCopied(benchmark::State& state) {
  CopyOut copy;
  RunStreams(state, false, [&](const Event& event) { copy.Take(event.data, event.size); });
}

void Shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("shape")->DenseRange(0, 2)->UseManualTime();
}
BENCHMARK(BM_Floor)->Apply(Shapes)->Iterations(1);
BENCHMARK(BM_Streams)->Apply(Shapes)->Iterations(1);
BENCHMARK(BM_StreamsUnverified)->Apply(Shapes)->Iterations(1);
BENCHMARK(BM_BareCopy)->Apply(Shapes);
BENCHMARK(BM_StreamsCopied)->Apply(Shapes)->Iterations(1);

}  // namespace
}  // namespace weir::bench

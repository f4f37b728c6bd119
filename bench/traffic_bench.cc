// Frames of weir-load's traffic model: nanoseconds to make one, with all its checksums and the
// truth about it; and to write and check payload. Arguments: payload bytes, open flows.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "bench/trace.h"
#include "tools/load/traffic/payload.h"
#include "tools/load/traffic/traffic_model.h"

namespace weir::bench {
namespace {

using load::PayloadPattern;
using load::TrafficModel;
using load::TrafficProfile;

void MakeFrames(benchmark::State& state, TrafficProfile profile) {
  if (SmallRun()) profile.flows = std::min(profile.flows, 1'000u);
  profile.packets = 4'000'000'000;  // more than are made
  std::unique_ptr<TrafficModel> model = *TrafficModel::Create(profile);
  // Each flow has begun.
  while (model->truth().frames < 4 * uint64_t{profile.flows}) model->Next(64);
  const uint64_t before = model->truth().frames;
  for (auto _ : state) benchmark::DoNotOptimize(model->Next(64));
  const auto frames = static_cast<double>(model->truth().frames - before);
  state.counters["per_frame"] =
      benchmark::Counter(frames, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

TrafficProfile Plain(const benchmark::State& state) {
  return {.flows = static_cast<uint32_t>(state.range(1)),
          .sizes = {{static_cast<uint32_t>(state.range(0)), 1}}};
}

// Connections in both directions, with acknowledgements.
void BM_Connections(benchmark::State& state) { MakeFrames(state, Plain(state)); }
BENCHMARK(BM_Connections)
    ->ArgNames({"payload", "flows"})
    ->ArgsProduct({{10, 1448}, {10'000, 1'000'000}});

// Data segments from the client only, flows that are in the middle.
void BM_Segments(benchmark::State& state) {
  TrafficProfile profile = Plain(state);
  profile.handshake = false;
  profile.ack_every = 0;
  profile.from_server = 0;
  MakeFrames(state, profile);
}
BENCHMARK(BM_Segments)
    ->ArgNames({"payload", "flows"})
    ->ArgsProduct({{10, 1448}, {10'000, 1'000'000}});

// Some of everything.
void BM_Everything(benchmark::State& state) {
  MakeFrames(state, {.flows = 10'000,
                     .popularity = load::Popularity::kZipf,
                     .flow_packets = 60,
                     .udp = 0.2,
                     .icmp = 0.1,
                     .ipv6 = 0.3,
                     .vlans = {5, 6, 7},
                     .tunnels = {load::TunnelKind::kNone, load::TunnelKind::kVxlan},
                     .reorder = 0.05,
                     .duplicate = 0.05,
                     .loss = 0.05,
                     .overlap = 0.05,
                     .fragment = 0.05,
                     .syn_flood = 0.05});
}
BENCHMARK(BM_Everything);

void BM_WritePayload(benchmark::State& state) {
  const PayloadPattern pattern(1, 2, 0);
  std::vector<uint8_t> bytes(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    pattern.Write(static_cast<uint64_t>(state.range(1)), bytes);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_WritePayload)->ArgNames({"bytes", "offset"})->ArgsProduct({{10, 64, 1448}, {0, 3}});

void BM_CheckPayload(benchmark::State& state) {
  const PayloadPattern pattern(1, 2, 0);
  const auto offset = static_cast<uint64_t>(state.range(1));
  std::vector<uint8_t> bytes(static_cast<size_t>(state.range(0)));
  pattern.Write(offset, bytes);
  for (auto _ : state) benchmark::DoNotOptimize(pattern.Matching(offset, bytes));
}
BENCHMARK(BM_CheckPayload)->ArgNames({"bytes", "offset"})->ArgsProduct({{10, 64, 1448}, {0, 3}});

}  // namespace
}  // namespace weir::bench

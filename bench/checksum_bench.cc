// The Internet checksum of one packet's payload. Arguments: bytes, and how many such payloads there
// are (1: in the first cache; 100,000: from memory).
#include <benchmark/benchmark.h>

#include <vector>

#include "bench/trace.h"
#include "engine/packet/checksum.h"

namespace weir::bench {
namespace {

void BM_Checksum(benchmark::State& state) {
  const auto bytes = static_cast<size_t>(state.range(0));
  const size_t count = SmallRun() ? 1 : static_cast<size_t>(state.range(1));
  const size_t stride = bytes + 54;  // headers between them
  const std::vector<uint8_t> payloads(stride * count, 0x5a);
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(ChecksumFold(ChecksumAdd(&payloads[stride * next], bytes)));
    next = next + 1 == count ? 0 : next + 1;
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Checksum)->ArgNames({"bytes", "payloads"})->ArgsProduct({{20, 64, 576, 1448}, {1}});
BENCHMARK(BM_Checksum)->ArgNames({"bytes", "payloads"})->Args({1448, 4'000})->Args({1448, 100'000});

}  // namespace
}  // namespace weir::bench

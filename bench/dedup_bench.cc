// Dedup in content mode beside its floor: XXH3 (128 bits) of the same bytes, and one prefetched
// line of a table as large as dedup's index. Both take turns in one run, on frames in random order
// of a pool of 8 MiB, each frame new; pool and table lie in huge pages, as dedup's index does.
// Reports nanoseconds per frame: the time is dedup's, `floor_ns` the floor's, `ratio` their
// quotient.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "bench/trace.h"
#include "engine/packet/arena.h"
#include "engine/packet/dedup.h"
#include "engine/packet/wide_hash.h"
#include "rings/prefetch.h"

namespace weir {
namespace {

constexpr size_t kPoolBytes = 8 << 20;
constexpr int kBatchesATurn = 16;

class Pool {
 public:
  explicit Pool(size_t frame_bytes) : frame_bytes_(frame_bytes) {
    std::mt19937_64 random(1);
    std::generate_n(bytes_, kPoolBytes, [&] { return static_cast<uint8_t>(random()); });
    order_.resize(kPoolBytes / frame_bytes);
    std::iota(order_.begin(), order_.end(), 0u);
    std::shuffle(order_.begin(), order_.end(), random);
  }

  // The next frames, each with a number that no frame had before, as a kernel would just have
  // written it.
  void NextTurn() {
    for (Frame& frame : frames) {
      uint8_t* data = bytes_ + order_[at_] * frame_bytes_;
      at_ = (at_ + 1) % order_.size();
      std::memcpy(data + 20, &number_, sizeof number_);
      frame.data = data;
      frame.captured_length = frame.wire_length = static_cast<uint32_t>(frame_bytes_);
      frame.timestamp_ns = static_cast<int64_t>(number_++ * 100);
    }
  }

  std::vector<Frame> frames{kBatchesATurn * kBatchFrames};

 private:
  size_t frame_bytes_;
  Arena arena_ = *Arena::Create(kPoolBytes);
  uint8_t* bytes_ = arena_.Take<uint8_t>(kPoolBytes);
  std::vector<uint32_t> order_;
  size_t at_ = 0;
  uint64_t number_ = 1;
};

class Floor {
 public:
  explicit Floor(size_t lines)
      : count_(lines), arena_(*Arena::Create(lines * sizeof(Line))), hash_(1) {}

  void Apply(std::span<const Frame> frames) {
    Line* lines[kBatchFrames];
    for (size_t i = 0; i < frames.size(); ++i) {
      const uint64_t hash = hash_(frames[i].data, frames[i].captured_length).low;
      lines[i] = &lines_[static_cast<size_t>(static_cast<unsigned __int128>(hash) * count_ >> 64)];
      PrefetchToWrite(lines[i]);
    }
    for (size_t i = 0; i < frames.size(); ++i) ++lines[i]->count;
  }

 private:
  struct alignas(64) Line {
    uint64_t count = 0;
  };
  size_t count_;
  Arena arena_;
  Line* lines_ = arena_.Take<Line>(count_);
  WideHash hash_;
};

// Of this thread: what else the machine does is not counted.
template <typename Work>
double Nanoseconds(const Work& work) {
  const double start = bench::ThreadSeconds();
  work();
  return (bench::ThreadSeconds() - start) * 1e9;
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void BM_Dedup(benchmark::State& state) {
  Pool pool(static_cast<size_t>(state.range(0)));
  const uint32_t depth = static_cast<uint32_t>(state.range(1));
  Dedup dedup({.mode = DedupMode::kContent, .window_ns = 1'000'000, .depth = depth, .seed = 1});
  Floor floor(std::bit_ceil(size_t{depth} * 3 / 7));
  Packet packets[kBatchFrames];  // a shard has one batch of them, too
  const double frames = static_cast<double>(pool.frames.size());
  const auto batches = [&](const auto& one) {
    pool.NextTurn();
    return Nanoseconds([&] {
      for (size_t i = 0; i < pool.frames.size(); i += kBatchFrames) {
        one(std::span<const Frame>(&pool.frames[i], kBatchFrames));
      }
    });
  };
  const auto dedup_turn = [&] {
    return batches([&](std::span<const Frame> some) { dedup.Apply(some, packets); }) / frames;
  };
  const auto floor_turn = [&] {
    return batches([&](std::span<const Frame> some) { floor.Apply(some); }) / frames;
  };
  while (dedup.counters().seen < depth) dedup_turn();  // until the depth is full
  std::vector<double> dedup_ns, floor_ns;
  for (auto _ : state) {
    floor_ns.push_back(floor_turn());
    dedup_ns.push_back(dedup_turn());
  }
  if (dedup.counters().duplicates != 0) state.SkipWithError("a frame was taken for a duplicate");
  state.counters["dedup_ns"] = Median(dedup_ns);
  state.counters["floor_ns"] = Median(floor_ns);
  state.counters["ratio"] = Median(dedup_ns) / Median(floor_ns);
}
BENCHMARK(BM_Dedup)
    ->ArgNames({"bytes", "depth"})
    ->ArgsProduct({{64, 1500}, {256, 4'096, 65'536, 100'000, 1'000'000}});

}  // namespace
}  // namespace weir

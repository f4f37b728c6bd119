// Two shards in two threads beside two processes of the floor: how much more than one of them two
// get done. Each has a memory ring of its own that is refilled outside the time.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <barrier>
#include <cstdio>
#include <functional>
#include <thread>

#include "bench/floor.h"
#include "bench/trace.h"
#include "perf/live_run/live_shard.h"
#include "perf/live_run/run.h"

namespace weir::perf {
namespace {

constexpr uint32_t kFlows = 100'000;

// Laps over a ring for `seconds` of the clock; thread nanoseconds per packet of what `step` does.
double Laps(std::span<const Frame> trace, MemorySource& source, double seconds,
            const std::function<uint64_t()>& step) {
  bench::Feed feed(trace);
  uint64_t packets = 0;
  double spent = 0;
  const double start = ClockSeconds();
  double warm = start + seconds / 4;
  while (ClockSeconds() - start < seconds) {
    feed.Refill(source);
    const double before = ThreadSeconds();
    uint64_t lap = 0;
    while (source.ready()) lap += step();
    if (ClockSeconds() < warm) continue;
    spent += ThreadSeconds() - before;
    packets += lap;
  }
  return spent * 1e9 / static_cast<double>(packets);
}

double OneShard(const bench::Trace& trace, double seconds) {
  auto source = *MemorySource::Create({});
  MemorySource& ring = *source;
  RunOptions run;
  run.flows = kFlows;
  ShardOptions options = FullPipeline(run);
  options.live = false;
  auto shard = *MakeShard(options, std::move(source));
  return Laps(trace.frames(), ring, seconds, [&] {
    const uint64_t before = shard->ledger().received;
    shard->Poll();
    return shard->ledger().received - before;
  });
}

double OneFloor(const bench::Trace& trace, double seconds) {
  auto source = *MemorySource::Create({});
  bench::Floor floor(kFlows);
  return Laps(trace.frames(), *source, seconds,
              [&] { return static_cast<uint64_t>(floor.Poll(*source)); });
}

using Figures = std::array<double, 2>;

// Each on its processor, all at the same time.
Figures InThreads(int count, const bench::Trace& trace, const RunOptions& run) {
  Figures figures{};
  std::barrier start(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      test::PinToProcessor(i == 0 ? run.shard_processor : run.sender_processor);
      start.arrive_and_wait();
      figures[static_cast<size_t>(i)] = OneShard(trace, run.seconds);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return figures;
}

Figures InProcesses(int count, const bench::Trace& trace, const RunOptions& run) {
  auto* shared = static_cast<Figures*>(
      mmap(nullptr, sizeof(Figures), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  *shared = {};
  for (int i = 0; i < count; ++i) {
    if (fork() != 0) continue;
    test::PinToProcessor(i == 0 ? run.shard_processor : run.sender_processor);
    (*shared)[static_cast<size_t>(i)] = OneFloor(trace, run.seconds);
    _exit(0);
  }
  while (wait(nullptr) > 0) {
  }
  const Figures figures = *shared;
  munmap(shared, sizeof(Figures));
  return figures;
}

// What two get done in the time in which one does one.
double Gain(const Figures& one, const Figures& two) { return one[0] / two[0] + one[0] / two[1]; }

}  // namespace

absl::Status RunScale(const RunOptions& run) {
  std::printf("scale: payload 64/576/1448 in 7:4:1, %u flows; ns/packet\n", kFlows);
  const bench::Trace trace({.flows = kFlows});
  std::vector<double> shards, floors, ratios;
  for (int i = 0; i < run.rounds; ++i) {
    const Figures shard = InThreads(1, trace, run), shard_pair = InThreads(2, trace, run);
    const Figures floor = InProcesses(1, trace, run), floor_pair = InProcesses(2, trace, run);
    shards.push_back(Gain(shard, shard_pair));
    floors.push_back(Gain(floor, floor_pair));
    ratios.push_back(shards.back() / floors.back());
    std::printf(
        "  shard %5.1f, two %5.1f %5.1f, gain %.2f   floor %5.1f, two %5.1f %5.1f, gain "
        "%.2f   ratio %.2f\n",
        shard[0], shard_pair[0], shard_pair[1], shards.back(), floor[0], floor_pair[0],
        floor_pair[1], floors.back(), ratios.back());
  }
  std::printf("median: shards gain %.2f, floors %.2f, ratio %.2f\n", Median(shards), Median(floors),
              Median(ratios));
  return absl::OkStatus();
}

}  // namespace weir::perf

// What counting by interval costs: per packet, at the swap, and behind it.
//
//   snapshot_bench --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <thread>

#include "bench/trace.h"
#include "engine/shard.h"
#include "engine/stats/counters_merger.h"

namespace weir::bench {
namespace {

enum Counting : int64_t { kOff, kIp, kFlow };
constexpr int64_t kPasses = 4;  // of the trace, in one interval

uint32_t Flows(int64_t asked) { return SmallRun() ? 1'000 : static_cast<uint32_t>(asked); }

const Trace& TraceOf(uint32_t flows) {
  static std::map<uint32_t, std::unique_ptr<Trace>> traces;
  auto& trace = traces[flows];
  if (trace == nullptr) {
    TraceOptions options{.flows = flows};
    options.packets = std::max(SmallRun() ? 20'000u : options.packets, flows);
    trace = std::make_unique<Trace>(options);
  }
  return *trace;
}

// A trace again and again, at times that go on: a millionth of a second for each packet.
class MovingFeed {
 public:
  static constexpr int64_t kStepNs = 1'000;
  static constexpr int64_t kStartNs = 1'700'000'000'000'000'000;

  explicit MovingFeed(std::span<const Frame> frames) : frames_(frames.begin(), frames.end()) {
    for (Frame& frame : frames_) frame.timestamp_ns = time_ns_ += kStepNs;
  }
  int64_t pass_ns() const { return static_cast<int64_t>(frames_.size()) * kStepNs; }

  void Refill(MemorySource& source) {
    while (true) {
      const size_t taken = source.Refill(std::span<const Frame>(frames_).subspan(next_));
      for (size_t i = next_; i < next_ + taken; ++i) frames_[i].timestamp_ns += pass_ns();
      next_ += taken;
      if (next_ < frames_.size()) return;
      next_ = 0;
    }
  }

 private:
  std::vector<Frame> frames_;
  int64_t time_ns_ = kStartNs;
  size_t next_ = 0;
};

// A shard that counts, and a thread that takes its snapshots and gives them back.
class Counted {
 public:
  Counted(uint32_t flows, int64_t counting, int64_t interval_ns) {
    auto source = *MemorySource::Create({.block_count = 32});
    source_ = source.get();
    std::vector<std::unique_ptr<FrameSource>> sources;
    sources.push_back(std::move(source));
    ShardOptions options;
    options.flow.max_flows = flows + flows / 8;
    if (counting != kOff) {
      options.snapshots.emplace();
      options.snapshots->by = counting == kIp ? CountBy::kIp : CountBy::kFlow;
      options.snapshots->interval_ns = interval_ns;
    }
    shard_ = *Shard::Create(options, std::move(sources));
    if (counting != kOff) taker_ = std::jthread([this](std::stop_token stop) { Take(stop); });
  }

  MemorySource& source() { return *source_; }
  Shard& shard() { return *shard_; }

 private:
  void Take(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      while (Snapshot* const snapshot = shard_->snapshots()->Take())
        shard_->snapshots()->GiveBack(snapshot);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  MemorySource* source_;
  std::unique_ptr<Shard> shard_;
  std::jthread taker_;
};

void BM_Counting(benchmark::State& state) {
  const uint32_t flows = Flows(state.range(0));
  MovingFeed feed(TraceOf(flows).frames());
  Counted counted(flows, state.range(1), kPasses * feed.pass_ns());
  Shard& shard = counted.shard();
  const auto lap = [&] {
    feed.Refill(counted.source());
    const double start = ThreadSeconds();
    while (counted.source().ready()) benchmark::DoNotOptimize(shard.Poll());
    return ThreadSeconds() - start;
  };
  while (shard.ledger().received < 2 * TraceOf(flows).frames().size()) lap();
  const uint64_t before = shard.ledger().received;
  for (auto _ : state) state.SetIterationTime(lap());
  const auto packets = static_cast<double>(shard.ledger().received - before);
  state.counters["ns/packet"] =
      benchmark::Counter(packets * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_Counting)
    ->ArgNames({"flows", "by"})
    ->ArgsProduct({{10'000, 100'000, 1'000'000}, {kOff, kIp, kFlow}})
    ->UseManualTime();

// Sorted microseconds as counters.
void Report(benchmark::State& state, const std::string& name, std::vector<double> took_us) {
  std::sort(took_us.begin(), took_us.end());
  state.counters[name + "_median_us"] = took_us[took_us.size() / 2];
  state.counters[name + "_p99_us"] = took_us[took_us.size() * 99 / 100];
  state.counters[name + "_max_us"] = took_us.back();
}

// CPU time of a Poll of one packet that swaps full tables, and of one that does not, by turns, each
// behind the same work, so that the caches hold what they would.
void BM_Swap(benchmark::State& state) {
  constexpr int64_t kIntervalNs = 1'000'000;  // no flow times out
  constexpr uint32_t kBusyFlows = 1'000;
  const uint32_t flows = SmallRun() ? 10'000 : 1'000'000;
  auto owned = *MemorySource::Create({.block_count = 32});
  MemorySource& source = *owned;
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(owned));
  ShardOptions options;
  options.flow.max_flows = 2 * kBusyFlows;
  options.snapshots.emplace();
  options.snapshots->by = state.range(0) == kIp ? CountBy::kIp : CountBy::kFlow;
  options.snapshots->interval_ns = kIntervalNs;
  options.snapshots->flows = flows;
  auto shard = *Shard::Create(options, std::move(sources));
  const auto trace = TraceOf(kBusyFlows).frames().first(4'000);
  std::vector<Frame> frames(trace.begin(), trace.end());
  int64_t time_ns = MovingFeed::kStartNs;
  const auto work = [&] {
    for (Frame& frame : frames) frame.timestamp_ns = time_ns;
    source.Refill(frames);
    while (source.ready()) shard->Poll();
  };
  const auto poll_one = [&] {
    frames[0].timestamp_ns = time_ns;
    source.Refill({frames.data(), 1});
    const double start = ThreadSeconds();
    shard->Poll();
    return (ThreadSeconds() - start) * 1e6;
  };
  std::vector<double> with, without;
  for (auto _ : state) {
    IntervalDeltas& deltas = *shard->snapshots()->deltas();
    for (uint32_t place; deltas.flows().size() + kBusyFlows < flows;)
      deltas.Append(&place)->slot = 0;
    work();
    without.push_back(poll_one());
    work();
    time_ns += kIntervalNs;
    with.push_back(poll_one());
    state.SetIterationTime(with.back() * 1e-6);
    while (Snapshot* const snapshot = shard->snapshots()->Take())
      shard->snapshots()->GiveBack(snapshot);
  }
  Report(state, "swap", with);
  Report(state, "plain", without);
}
BENCHMARK(BM_Swap)->ArgName("by")->Arg(kIp)->Arg(kFlow)->UseManualTime()->Iterations(SmallRun()
                                                                                         ? 10
                                                                                         : 1'000);

// The swap alone, as a shard does it, behind what sweeps the caches; and nothing at all, measured
// the same way: what the clock and the machine's interrupts add.
void BM_SwapAlone(benchmark::State& state) {
  constexpr int64_t kIntervalNs = 1'000'000;
  const uint32_t flows = SmallRun() ? 10'000 : 1'000'000;
  auto queue = *SnapshotQueue::Create({.interval_ns = kIntervalNs, .flows = flows});
  int64_t time_ns = MovingFeed::kStartNs;
  queue->Advance(time_ns);
  ShardCounters totals;
  std::vector<double> with, without;
  const auto fill = [&] {
    IntervalDeltas& deltas = *queue->deltas();
    for (uint32_t place; deltas.flows().size() < flows;) deltas.Append(&place)->slot = 0;
  };
  for (auto _ : state) {
    fill();
    time_ns += kIntervalNs;
    ThreadSeconds();  // the clock's own misses
    double start = ThreadSeconds();
    benchmark::ClobberMemory();
    without.push_back((ThreadSeconds() - start) * 1e6);
    start = ThreadSeconds();
    queue->Prefetch();
    queue->counters() = totals;
    queue->Advance(time_ns);
    benchmark::DoNotOptimize(queue->deltas());
    with.push_back((ThreadSeconds() - start) * 1e6);
    state.SetIterationTime(with.back() * 1e-6);
    while (Snapshot* const snapshot = queue->Take()) queue->GiveBack(snapshot);
  }
  Report(state, "swap", with);
  Report(state, "nothing", without);
}
BENCHMARK(BM_SwapAlone)->UseManualTime()->Iterations(SmallRun() ? 10 : 1'000);

// Nanoseconds per packet by the time since the swap: medians over the swaps.
class TimesBehind {
 public:
  static constexpr std::array<double, 5> kEnds = {0.1e-3, 1e-3, 2e-3, 5e-3, 10e-3};  // s

  void Begin() {
    Close();
    at_ = 0;
    since_ = 0;
  }
  // Some packets were tracked in `took` seconds.
  void Add(double took, uint64_t packets) {
    if (at_ == kEnds.size() + 1) return;
    spent_ += took;
    packets_ += packets;
    since_ += took;
    while (at_ < kEnds.size() && since_ >= kEnds[at_]) Next();
  }
  void Close() {
    if (at_ == kEnds.size()) Next();
  }
  double Median(size_t bucket) const {
    std::vector<double> all = buckets_[bucket];
    if (all.empty()) return 0;
    std::nth_element(all.begin(), all.begin() + static_cast<ptrdiff_t>(all.size() / 2), all.end());
    return all[all.size() / 2];
  }

 private:
  void Next() {
    if (packets_ > 0) buckets_[at_].push_back(spent_ * 1e9 / static_cast<double>(packets_));
    spent_ = 0;
    packets_ = 0;
    ++at_;
  }
  std::array<std::vector<double>, kEnds.size() + 1> buckets_;
  size_t at_ = kEnds.size() + 1;
  double since_ = 0;
  double spent_ = 0;
  uint64_t packets_ = 0;
};

void BM_BehindTheSwap(benchmark::State& state) {
  const uint32_t flows = Flows(state.range(0));
  MovingFeed feed(TraceOf(flows).frames());
  Counted counted(flows, kIp, kPasses * feed.pass_ns());
  Shard& shard = counted.shard();
  TimesBehind times;
  uint64_t before = 0;
  IntervalDeltas* deltas = shard.snapshots()->deltas();
  const auto lap = [&] {
    feed.Refill(counted.source());
    double start = ThreadSeconds();
    while (counted.source().ready()) {
      for (int i = 0; i < 8 && counted.source().ready(); ++i) shard.Poll();
      const double now = ThreadSeconds();
      if (shard.snapshots()->deltas() != deltas) {
        deltas = shard.snapshots()->deltas();
        times.Begin();
      }
      times.Add(now - start, shard.ledger().received - before);
      before = shard.ledger().received;
      start = now;
    }
  };
  for (auto _ : state) lap();
  times.Close();
  const char* const names[] = {"to_0.1ms", "to_1ms", "to_2ms", "to_5ms", "to_10ms", "rest"};
  for (size_t i = 0; i < std::size(names); ++i) state.counters[names[i]] = times.Median(i);
}
BENCHMARK(BM_BehindTheSwap)
    ->ArgName("flows")
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Iterations(SmallRun() ? 50 : 10'000);

// One snapshot of many flows into a report: what the merger's thread does.
void BM_Merge(benchmark::State& state) {
  const uint32_t flows = Flows(state.range(0));
  const CountBy by = state.range(1) == kIp ? CountBy::kIp : CountBy::kFlow;
  Snapshot snapshot;
  snapshot.deltas = *IntervalDeltas::Create({.by = by, .flows = flows});
  for (uint32_t i = 0; i < flows; ++i) {
    uint32_t place;
    FlowDelta& delta = *snapshot.deltas->Append(&place);
    delta.key = {.a = i * 2'654'435'761u % (flows / 4),
                 .b = 0xffff0000u | i % 1'000,
                 .port_a = static_cast<uint16_t>(i),
                 .port_b = 443};
    delta.family = AddressFamily::kIpv4;
    delta.packets[0] = delta.bytes[0] = i;
  }
  int64_t epoch = 0;
  for (auto _ : state) {
    CountersMerger merger({.by = by, .total_rows = 0});
    snapshot.first_epoch = snapshot.last_epoch = ++epoch;
    merger.Add(snapshot);
    benchmark::DoNotOptimize(merger.Take());
  }
  state.counters["ns/flow"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * flows * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_Merge)->ArgNames({"flows", "by"})->ArgsProduct({{100'000, 1'000'000}, {kIp, kFlow}});

}  // namespace
}  // namespace weir::bench

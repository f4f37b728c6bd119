// Passing 8-byte items through a queue of 1,024, beside boost::lockfree::spsc_queue where Boost is
// installed: on one thread (fill and drain by turns: the instructions alone), and from one
// processor to another. Argument: items a call.
#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <span>
#include <thread>

#if __has_include(<boost/lockfree/spsc_queue.hpp>)
#include <boost/lockfree/spsc_queue.hpp>
#define WEIR_HAS_BOOST 1
#endif

#include "bench/trace.h"
#include "rings/spsc_queue.h"
#include "tests/support/live_frame_sender.h"

namespace weir::bench {
namespace {

using Item = uint64_t;
constexpr size_t kCapacity = 1024;
constexpr size_t kMostBatch = 64;

class OurQueue {
 public:
  size_t Push(std::span<Item> items) {
    return items.size() == 1 ? size_t{queue_.Push(items[0])} : queue_.PushBatch(items);
  }
  size_t Pop(std::span<Item> items) {
    return items.size() == 1 ? size_t{queue_.Pop(items[0])} : queue_.PopBatch(items);
  }

 private:
  SpscQueue<Item> queue_{kCapacity};
};

#ifdef WEIR_HAS_BOOST
class BoostQueue {
 public:
  size_t Push(std::span<Item> items) {
    return items.size() == 1 ? size_t{queue_.push(items[0])}
                             : queue_.push(items.data(), items.size());
  }
  size_t Pop(std::span<Item> items) {
    return items.size() == 1 ? size_t{queue_.pop(items[0])}
                             : queue_.pop(items.data(), items.size());
  }

 private:
  boost::lockfree::spsc_queue<Item> queue_{kCapacity};
};
#endif

void ReportPerItem(benchmark::State& state, uint64_t items) {
  state.SetItemsProcessed(static_cast<int64_t>(items));
  state.counters["ns/item"] = benchmark::Counter(
      static_cast<double>(items) * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Half the queue goes in, then comes out.
template <typename Queue>
void OneThread(benchmark::State& state) {
  Queue queue;
  std::array<Item, kMostBatch> items{};
  const auto batch = std::span(items).first(static_cast<size_t>(state.range(0)));
  const size_t calls = kCapacity / 2 / batch.size();
  uint64_t passed = 0;
  for (auto _ : state) {
    for (size_t i = 0; i < calls; ++i) queue.Push(batch);
    for (size_t i = 0; i < calls; ++i) passed += queue.Pop(batch);
    benchmark::DoNotOptimize(items);
  }
  ReportPerItem(state, passed);
}

// The producer pushes as fast as there is room; the consumer's time counts.
template <typename Queue>
void TwoThreads(benchmark::State& state) {
  if (std::thread::hardware_concurrency() < 2) return state.SkipWithError("needs two processors");
  Queue queue;
  const auto batch_size = static_cast<size_t>(state.range(0));
  std::atomic<bool> stop{false};
  std::thread producer([&] {
    test::PinToProcessor(0);
    std::array<Item, kMostBatch> items{};
    while (!stop.load(std::memory_order_relaxed)) {
      items[0] += queue.Push(std::span(items).first(batch_size));
    }
  });
  cpu_set_t before;
  sched_getaffinity(0, sizeof before, &before);
  test::PinToProcessor(1);
  const size_t round = SmallRun() ? 1 << 8 : 1 << 16;
  std::array<Item, kMostBatch> items{};
  uint64_t passed = 0;
  for (auto _ : state) {
    for (size_t got = 0; got < round;) got += queue.Pop(std::span(items).first(batch_size));
    passed += round;
    benchmark::DoNotOptimize(items);
  }
  stop.store(true);
  producer.join();
  sched_setaffinity(0, sizeof before, &before);
  ReportPerItem(state, passed);
}

#define WEIR_BATCHES ArgName("batch")->Arg(1)->Arg(8)->Arg(32)
BENCHMARK(OneThread<OurQueue>)->WEIR_BATCHES;
#ifdef WEIR_HAS_BOOST
BENCHMARK(OneThread<BoostQueue>)->WEIR_BATCHES;
#endif
BENCHMARK(TwoThreads<OurQueue>)->WEIR_BATCHES->UseRealTime();
#ifdef WEIR_HAS_BOOST
BENCHMARK(TwoThreads<BoostQueue>)->WEIR_BATCHES->UseRealTime();
#endif

}  // namespace
}  // namespace weir::bench

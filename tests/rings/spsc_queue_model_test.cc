// Every interleaving of a few pushes and pops, and every value that the memory model lets them see.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "rings/spsc_queue.h"
#include "tests/rings/interleaving.h"

namespace weir::test {
namespace {

using Queue = SpscQueue<ModelDatum, ModelAtomic>;

// One execution's queue, and what its two threads did.
struct Run {
  explicit Run(size_t capacity) : queue(capacity) {}
  Queue queue;
  int pushed = 0;           // items 1, 2, ... went in
  std::vector<int> popped;  // what came out
};

void PushOne(Run& run) {
  if (run.queue.Push(ModelDatum(run.pushed + 1))) ++run.pushed;
}

void PushTwo(Run& run) {
  ModelDatum items[] = {ModelDatum(run.pushed + 1), ModelDatum(run.pushed + 2)};
  run.pushed += static_cast<int>(run.queue.PushBatch(items));
}

void PopOne(Run& run) {
  ModelDatum item;
  if (run.queue.Pop(item)) run.popped.push_back(item.value());
}

void PopTwo(Run& run) {
  ModelDatum items[2];
  const size_t count = run.queue.PopBatch(items);
  for (size_t i = 0; i < count; ++i) run.popped.push_back(items[i].value());
}

// What came out and what is left are all that went in, in order.
bool Complete(Run& run) {
  size_t before;
  do {
    before = run.popped.size();
    PopTwo(run);
  } while (run.popped.size() != before);
  bool right = run.popped.size() == static_cast<size_t>(run.pushed);
  for (size_t i = 0; i < run.popped.size(); ++i) right &= run.popped[i] == static_cast<int>(i) + 1;
  return right;
}

using Steps = std::vector<void (*)(Run&)>;

struct Outcome {
  Interleaving::Result runs;
  uint64_t wrong = 0;
  uint64_t refused = 0;  // executions in which a push found the queue full
};

Outcome RunAll(size_t capacity, const Steps& producer, const Steps& consumer, int most_pushes,
               Weakened weakened = Weakened::kNothing) {
  Outcome outcome;
  outcome.runs = Interleaving::RunAll(
      [&] {
        const auto run = std::make_shared<Run>(capacity);
        return Interleaving::Program{{[&producer, run] {
                                        for (auto step : producer) step(*run);
                                      },
                                      [&consumer, run] {
                                        for (auto step : consumer) step(*run);
                                      }},
                                     [&, run] {
                                       outcome.refused += run->pushed < most_pushes;
                                       outcome.wrong += !Complete(*run);
                                     }};
      },
      weakened);
  return outcome;
}

void ExpectRight(const Outcome& outcome) {
  EXPECT_EQ(outcome.wrong, 0u);
  EXPECT_EQ(outcome.runs.racy, 0u);
  EXPECT_GT(outcome.refused, 0u);
  EXPECT_GT(outcome.runs.stale, 0u);
  std::printf("%llu executions\n", static_cast<unsigned long long>(outcome.runs.executions));
}

TEST(SpscQueueModelTest, OnePlaceSingleItems) {
  ExpectRight(RunAll(1, {PushOne, PushOne, PushOne}, {PopOne, PopOne, PopOne}, 3));
}

TEST(SpscQueueModelTest, TwoPlacesSingleItems) {
  ExpectRight(RunAll(2, {PushOne, PushOne, PushOne, PushOne}, {PopOne, PopOne, PopOne}, 4));
}

TEST(SpscQueueModelTest, TwoPlacesBatchesThatRunOverTheEnd) {
  ExpectRight(RunAll(2, {PushOne, PushTwo, PushTwo}, {PopOne, PopTwo, PopTwo}, 5));
}

TEST(SpscQueueModelTest, BatchesBesideSingleItems) {
  ExpectRight(RunAll(2, {PushTwo, PushOne, PushTwo}, {PopOne, PopTwo, PopOne}, 5));
}

// The proof that the tests above can fail.
TEST(SpscQueueModelTest, WithoutReleaseOrAcquireThereIsARace) {
  for (Weakened weakened : {Weakened::kReleaseStores, Weakened::kAcquireLoads}) {
    const Outcome outcome =
        RunAll(2, {PushOne, PushTwo, PushTwo}, {PopOne, PopTwo, PopTwo}, 5, weakened);
    EXPECT_GT(outcome.runs.racy, 0u);
  }
}

}  // namespace
}  // namespace weir::test

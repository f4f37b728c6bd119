#include "rings/spsc_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <thread>
#include <vector>

namespace weir {
namespace {

using testing::ElementsAre;

// At most `count` items, in one call.
std::vector<int> PopSome(SpscQueue<int>& queue, size_t count) {
  std::vector<int> items(count, -1);
  items.resize(queue.PopBatch(items));
  return items;
}

TEST(SpscQueueTest, CapacityIsTheNextPowerOfTwo) {
  EXPECT_EQ(SpscQueue<int>(1).capacity(), 1u);
  EXPECT_EQ(SpscQueue<int>(5).capacity(), 8u);
  EXPECT_EQ(SpscQueue<int>(8).capacity(), 8u);
}

TEST(SpscQueueTest, AnEmptyQueueGivesNothingAndLeavesTheItem) {
  SpscQueue<int> queue(2);
  int item = 7;
  EXPECT_FALSE(queue.Pop(item));
  EXPECT_EQ(item, 7);
  EXPECT_THAT(PopSome(queue, 3), ElementsAre());
}

TEST(SpscQueueTest, EveryPlaceIsUsedBeforeItIsFull) {
  SpscQueue<int> queue(4);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(queue.Push(i));
  EXPECT_FALSE(queue.Push(4));
  EXPECT_THAT(PopSome(queue, 9), ElementsAre(0, 1, 2, 3));
}

TEST(SpscQueueTest, AFullQueueLeavesTheItemWithItsOwner) {
  SpscQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.Push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(queue.Push(std::move(second)));
  // NOLINTBEGIN(bugprone-use-after-move): that nothing was moved is the point.
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*second, 2);
  // NOLINTEND(bugprone-use-after-move)
}

TEST(SpscQueueTest, ItemsAreMovedThrough) {
  SpscQueue<std::unique_ptr<int>> queue(2);
  std::unique_ptr<int> in[] = {std::make_unique<int>(1), std::make_unique<int>(2)};
  EXPECT_EQ(queue.PushBatch(in), 2u);
  EXPECT_EQ(in[0], nullptr);
  std::unique_ptr<int> out[2];
  EXPECT_EQ(queue.PopBatch(out), 2u);
  EXPECT_EQ(*out[0], 1);
  EXPECT_EQ(*out[1], 2);
}

TEST(SpscQueueTest, ABatchGoesInAsFarAsThereIsRoom) {
  SpscQueue<int> queue(4);
  int items[] = {1, 2, 3, 4, 5, 6};
  EXPECT_TRUE(queue.Push(0));
  EXPECT_EQ(queue.PushBatch(items), 3u);
  EXPECT_EQ(queue.PushBatch(items), 0u);
  EXPECT_THAT(PopSome(queue, 2), ElementsAre(0, 1));
  EXPECT_EQ(queue.PushBatch(std::span(items).subspan(3)), 2u);
  EXPECT_THAT(PopSome(queue, 9), ElementsAre(2, 3, 4, 5));
}

TEST(SpscQueueTest, AnEmptyBatchIsNothing) {
  SpscQueue<int> queue(2);
  EXPECT_EQ(queue.PushBatch({}), 0u);
  EXPECT_TRUE(queue.Push(1));
  EXPECT_EQ(queue.PopBatch({}), 0u);
  EXPECT_THAT(PopSome(queue, 2), ElementsAre(1));
}

// From every place, batches of every size run over the end of the memory.
TEST(SpscQueueTest, OrderHoldsOverTheEndOfTheMemory) {
  constexpr int kCapacity = 8;
  for (size_t batch = 1; batch <= kCapacity; ++batch) {
    SpscQueue<int> queue(kCapacity);
    int next = 0, expected = 0;
    for (int round = 0; round < 3 * kCapacity; ++round) {
      std::vector<int> items(batch);
      std::iota(items.begin(), items.end(), next);
      next += static_cast<int>(queue.PushBatch(items));
      for (int item : PopSome(queue, batch)) EXPECT_EQ(item, expected++);
      int single = -1;
      EXPECT_TRUE(queue.Push(next++));
      EXPECT_TRUE(queue.Pop(single));
      EXPECT_EQ(single, expected++);
    }
    EXPECT_EQ(expected, next);
    EXPECT_EQ(expected, 3 * kCapacity * static_cast<int>(batch + 1));
  }
}

// Two threads, full speed: every item comes once and in order, and what it points at is seen. Fewer
// items where the threads change more often: on a busy machine each change takes milliseconds.
void PassThrough(int capacity, size_t push_batch, size_t pop_batch) {
  const int total = 10'000 + 3'000 * capacity;
  SpscQueue<std::unique_ptr<int>> queue(capacity);
  std::thread producer([&] {
    std::vector<std::unique_ptr<int>> items(push_batch);
    size_t kept = 0;  // items made and not pushed yet stand at the front
    for (int made = 0; made < total || kept > 0;) {
      while (kept < push_batch && made < total) items[kept++] = std::make_unique<int>(made++);
      const size_t pushed = queue.PushBatch(std::span(items).first(kept));
      std::move(items.begin() + pushed, items.begin() + kept, items.begin());
      kept -= pushed;
      if (pushed == 0) std::this_thread::yield();
    }
  });
  std::vector<std::unique_ptr<int>> items(pop_batch);
  int wrong = 0;
  for (int expected = 0; expected < total;) {
    const size_t popped = queue.PopBatch(items);
    for (size_t i = 0; i < popped; ++i) wrong += *items[i] != expected++;
    if (popped == 0) std::this_thread::yield();
  }
  producer.join();
  EXPECT_EQ(wrong, 0);
  std::unique_ptr<int> more;
  EXPECT_FALSE(queue.Pop(more));
}

TEST(SpscQueueTest, TwoThreadsPassBatchesInOrder) { PassThrough(64, 32, 32); }
TEST(SpscQueueTest, TwoThreadsPassUnequalBatchesInOrder) { PassThrough(16, 7, 5); }
TEST(SpscQueueTest, TwoThreadsPassThroughOnePlace) { PassThrough(1, 1, 1); }

TEST(SpscQueueTest, TwoThreadsPassSingleItemsInOrder) {
  constexpr int kItems = 200'000;
  SpscQueue<int> queue(128);
  std::thread producer([&] {
    for (int i = 0; i < kItems;) {
      if (queue.Push(i)) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  int wrong = 0;
  for (int expected = 0; expected < kItems;) {
    int item = -1;
    if (queue.Pop(item)) {
      wrong += item != expected++;
    } else {
      std::this_thread::yield();
    }
  }
  producer.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace weir

// A bounded queue from one thread to another: one producer, one consumer, no locks, no waiting.
//
// Every call ends after a bounded number of steps, whatever the other side does (wait-free): a push
// takes what there is room for, a pop gives what there is. Items come out in the order they went
// in. A batch is published at once: the other side's cache line is touched once per call, and read
// only when the copy of its index that each side keeps does not suffice.
//
// Ordering. What the producer did before a push is seen by the consumer after the pop that returns
// the item; what the consumer did before a pop is seen by the producer after the push that fills
// the place again. Nothing else is ordered.
//
// Memory: taken in the constructor. T is default-constructible and movable; a place keeps a
// moved-from T until it is filled again.
// Thread: Push and PushBatch on the producer's, Pop and PopBatch on the consumer's; both may change
// when something else orders the old thread's last call before the new one's first.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace weir {

// `Atomic` is std::atomic but in the test that runs all interleavings.
template <typename T, template <typename> typename Atomic = std::atomic>
class SpscQueue {
 public:
  // Room for `capacity` items, rounded up to a power of two.
  explicit SpscQueue(size_t capacity)
      : mask_(std::bit_ceil(std::max<size_t>(capacity, 1)) - 1),
        places_(std::make_unique<T[]>(mask_ + 1)) {}
  SpscQueue(const SpscQueue&) = delete;
  SpscQueue& operator=(const SpscQueue&) = delete;

  size_t capacity() const { return mask_ + 1; }

  // False, and `item` is as it was, when the queue is full.
  bool Push(T&& item);
  bool Push(const T& item) { return Push(T(item)); }

  // Moves as many of the first items in as there is room for; returns how many.
  size_t PushBatch(std::span<T> items);

  // False, and `item` is as it was, when the queue is empty.
  bool Pop(T& item);

  // Moves at most items.size() items out; returns how many.
  size_t PopBatch(std::span<T> items);

 private:
  // Two lines: processors fetch the neighbour of a line along with it.
  static constexpr size_t kApart = 128;

  // A loop of our own: memmove took twice as long for lines that another processor has written.
  static void Move(T* from, size_t count, T* to) {
#pragma GCC unroll 4
    for (size_t i = 0; i < count; ++i) to[i] = std::move(from[i]);
  }
  size_t Room(uint64_t pushed, size_t wanted);
  size_t Filled(uint64_t popped, size_t wanted);

  // Items ever pushed and popped; the place of item n is n & mask_. 2^64 is never reached.
  alignas(kApart) Atomic<uint64_t> pushed_{0};  // the producer writes it
  alignas(kApart) uint64_t popped_seen_ = 0;    // the producer's copy of popped_
  alignas(kApart) Atomic<uint64_t> popped_{0};  // the consumer writes it
  alignas(kApart) uint64_t pushed_seen_ = 0;    // the consumer's copy of pushed_
  alignas(kApart) const size_t mask_;           // read by both, written by none
  const std::unique_ptr<T[]> places_;
};

// Places that are free: `wanted` of them, or all there are.
template <typename T, template <typename> typename Atomic>
inline size_t SpscQueue<T, Atomic>::Room(uint64_t pushed, size_t wanted) {
  size_t room = capacity() - (pushed - popped_seen_);
  if (room < wanted) {
    // Acquire: the consumer moved the items out before it counted them; only then may we fill their
    // places again.
    popped_seen_ = popped_.load(std::memory_order_acquire);
    room = capacity() - (pushed - popped_seen_);
  }
  return std::min(room, wanted);
}

// Items that are there: `wanted` of them, or all there are.
template <typename T, template <typename> typename Atomic>
inline size_t SpscQueue<T, Atomic>::Filled(uint64_t popped, size_t wanted) {
  size_t filled = pushed_seen_ - popped;
  if (filled < wanted) {
    // Acquire: the producer filled the places before it counted them.
    pushed_seen_ = pushed_.load(std::memory_order_acquire);
    filled = pushed_seen_ - popped;
  }
  return std::min(filled, wanted);
}

template <typename T, template <typename> typename Atomic>
inline bool SpscQueue<T, Atomic>::Push(T&& item) {
  const uint64_t pushed = pushed_.load(std::memory_order_relaxed);  // our own
  if (Room(pushed, 1) == 0) return false;
  places_[pushed & mask_] = std::move(item);
  // Release: the place is filled before the consumer sees that it is.
  pushed_.store(pushed + 1, std::memory_order_release);
  return true;
}

template <typename T, template <typename> typename Atomic>
inline size_t SpscQueue<T, Atomic>::PushBatch(std::span<T> items) {
  const uint64_t pushed = pushed_.load(std::memory_order_relaxed);  // our own
  const size_t count = Room(pushed, items.size());
  if (count == 0) return 0;
  const size_t start = pushed & mask_;
  const size_t straight = std::min(count, capacity() - start);  // up to the end of the memory
  Move(items.data(), straight, &places_[start]);
  Move(items.data() + straight, count - straight, &places_[0]);
  // Release: as in Push.
  pushed_.store(pushed + count, std::memory_order_release);
  return count;
}

template <typename T, template <typename> typename Atomic>
inline bool SpscQueue<T, Atomic>::Pop(T& item) {
  const uint64_t popped = popped_.load(std::memory_order_relaxed);  // our own
  if (Filled(popped, 1) == 0) return false;
  item = std::move(places_[popped & mask_]);
  // Release: the item is out before the producer sees that its place is free.
  popped_.store(popped + 1, std::memory_order_release);
  return true;
}

template <typename T, template <typename> typename Atomic>
inline size_t SpscQueue<T, Atomic>::PopBatch(std::span<T> items) {
  const uint64_t popped = popped_.load(std::memory_order_relaxed);  // our own
  const size_t count = Filled(popped, items.size());
  if (count == 0) return 0;
  const size_t start = popped & mask_;
  const size_t straight = std::min(count, capacity() - start);  // up to the end of the memory
  Move(&places_[start], straight, items.data());
  Move(&places_[0], count - straight, items.data() + straight);
  // Release: as in Pop.
  popped_.store(popped + count, std::memory_order_release);
  return count;
}

}  // namespace weir

// How many frames several shards may still take together: --count.
//
// Thread: any. Exact: what all of them were granted adds up to the budget.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace weir {

class FrameBudget {
 public:
  explicit FrameBudget(uint64_t frames) : left_(frames) {}

  // Grants at most `wanted`.
  uint64_t Take(uint64_t wanted) {
    // Relaxed, all of it: a count that orders nothing else.
    uint64_t left = left_.load(std::memory_order_relaxed);
    uint64_t granted;
    do {
      granted = std::min(left, wanted);
    } while (!left_.compare_exchange_weak(left, left - granted, std::memory_order_relaxed));
    return granted;
  }

  // What there was a moment ago; once 0, always 0.
  uint64_t left() const { return left_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> left_;
};

}  // namespace weir

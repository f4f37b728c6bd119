// Who of several threads saw a key first, and whether another one saw it, too: for checks by
// sample.
//
// A table of fixed size with one atomic word for each place: the upper bits of the key's hash, who
// claimed it, whether it is in dispute. A key that falls on a place of another one takes it over:
// what is lost is a part of the sample.
//
// Thread: any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir {

class ClaimTable {
 public:
  enum class Claim : uint8_t {
    kFirst,    // nobody had it, as far as is known
    kOwn,      // the same owner had it
    kDispute,  // another owner had it; told once
    kKnown,    // likewise, and it was told before
  };

  explicit ClaimTable(size_t places = 4096) : words_(places) {}

  // `hash`: 64 bits, well mixed. `owner`: up to kMostOwners - 1.
  Claim Take(uint64_t hash, uint16_t owner) {
    std::atomic<uint64_t>& word = words_[hash % words_.size()];
    const uint64_t mine = (hash & kTag) | uint64_t{owner} << 1 | kUsed;
    // Relaxed, all of it: the words order nothing else.
    uint64_t seen = word.load(std::memory_order_relaxed);
    for (;;) {
      const bool known = (seen & kUsed) != 0 && (seen & kTag) == (mine & kTag);
      if (known && (seen & kDisputed) != 0) return Claim::kKnown;
      if (known && seen == mine) return Claim::kOwn;
      const uint64_t wanted = known ? seen | kDisputed : mine;
      if (word.compare_exchange_weak(seen, wanted, std::memory_order_relaxed)) {
        return known ? Claim::kDispute : Claim::kFirst;
      }
    }
  }

  static constexpr uint16_t kMostOwners = 1 << 12;

 private:
  static constexpr uint64_t kUsed = 1;
  static constexpr uint64_t kDisputed = uint64_t{1} << 13;
  static constexpr uint64_t kTag = ~uint64_t{0} << 14;

  std::vector<std::atomic<uint64_t>> words_;
};

}  // namespace weir

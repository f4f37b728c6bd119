// How long frames waited: a histogram of fixed size whose error is bounded, whatever the values.
//
// Log-linear: each power of two is cut into 16 equal parts, so a bucket is at most 1/16 of its
// values wide; below 32 ns values are exact. Values below 0 count as 0 (clocks that disagree),
// those of 2^40 ns (18 minutes) and more as the most.
//
// Thread: written by one; a copy is a snapshot. Plain sums: histograms of shards add up, and the
// difference of two snapshots is the histogram of the time between them. 5 KiB, allocates nothing.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir {

class DelayHistogram {
 public:
  static constexpr int64_t kMostNs = (int64_t{1} << 40) - 1;

  void Add(int64_t delay_ns) {
    const auto delay = static_cast<uint64_t>(std::clamp<int64_t>(delay_ns, 0, kMostNs));
    ++buckets_[BucketOf(delay)];
    sum_ns_ += delay;
  }

  void Add(const DelayHistogram& other);
  void Subtract(const DelayHistogram& earlier);  // an earlier snapshot of the same histogram

  uint64_t count() const;
  uint64_t sum_ns() const { return sum_ns_; }

  // Values below 2^power; power from 5 to 40.
  uint64_t CountBelow(unsigned power) const;

  // The largest value that the bucket of the quantile holds: at most 1/16 above the true one.
  // `quantile` from 0 to 1 (the maximum); 0 when nothing was added.
  int64_t Quantile(double quantile) const;

 private:
  static constexpr unsigned kPartBits = 4;

  // The top five bits of a value, and where they stand. Values of one power are neighbours.
  static constexpr size_t BucketOf(uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = width > kPartBits + 1 ? width - (kPartBits + 1) : 0;
    return (size_t{shift} << kPartBits) + (value >> shift);
  }
  static constexpr size_t kBuckets = size_t{40 - kPartBits + 1} << kPartBits;

  static int64_t LargestOf(size_t bucket);

  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t sum_ns_ = 0;
};

}  // namespace weir

#include "engine/stats/delay_histogram.h"

#include <cmath>
#include <numeric>

namespace weir {

void DelayHistogram::Add(const DelayHistogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  sum_ns_ += other.sum_ns_;
}

void DelayHistogram::Subtract(const DelayHistogram& earlier) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] -= earlier.buckets_[i];
  sum_ns_ -= earlier.sum_ns_;
}

uint64_t DelayHistogram::count() const {
  return std::accumulate(buckets_.begin(), buckets_.end(), uint64_t{0});
}

uint64_t DelayHistogram::CountBelow(unsigned power) const {
  const size_t end = BucketOf((uint64_t{1} << power) - 1) + 1;
  return std::accumulate(buckets_.begin(), buckets_.begin() + static_cast<ptrdiff_t>(end),
                         uint64_t{0});
}

int64_t DelayHistogram::LargestOf(size_t bucket) {
  static_assert(BucketOf(kMostNs) + 1 == kBuckets);
  const size_t power = bucket >> kPartBits;
  if (power < 2) return static_cast<int64_t>(bucket);
  const size_t shift = power - 1;
  const size_t top = bucket - (shift << kPartBits);
  return static_cast<int64_t>(((uint64_t{top} + 1) << shift) - 1);
}

int64_t DelayHistogram::Quantile(double quantile) const {
  const uint64_t all = count();
  if (all == 0) return 0;
  const double wanted = std::ceil(std::clamp(quantile, 0.0, 1.0) * static_cast<double>(all));
  const uint64_t rank = std::clamp<uint64_t>(static_cast<uint64_t>(wanted), 1, all);
  uint64_t seen = 0;
  size_t bucket = 0;
  while ((seen += buckets_[bucket]) < rank) ++bucket;
  return LargestOf(bucket);
}

}  // namespace weir

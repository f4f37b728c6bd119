#include "engine/stats/delay_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace weir {
namespace {

DelayHistogram Of(const std::vector<int64_t>& delays) {
  DelayHistogram histogram;
  for (const int64_t delay : delays) histogram.Add(delay);
  return histogram;
}

// Delays from nanoseconds to minutes, each order of magnitude as often as the others.
std::vector<int64_t> ManyScales(size_t count, uint32_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> exponent(0, 11.9);
  std::vector<int64_t> delays(count);
  for (int64_t& delay : delays) delay = static_cast<int64_t>(std::pow(10.0, exponent(random)));
  return delays;
}

int64_t ExactQuantile(std::vector<int64_t> delays, double quantile) {
  std::sort(delays.begin(), delays.end());
  const auto rank = static_cast<size_t>(std::ceil(quantile * static_cast<double>(delays.size())));
  return delays[std::max<size_t>(rank, 1) - 1];
}

TEST(DelayHistogramTest, QuantilesAreAtMostASixteenthAboveTheExactOnes) {
  for (const size_t count : {1u, 2u, 10u, 1000u, 100'000u}) {
    const auto delays = ManyScales(count, static_cast<uint32_t>(count));
    const DelayHistogram histogram = Of(delays);
    for (const double quantile : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const int64_t exact = ExactQuantile(delays, quantile);
      EXPECT_GE(histogram.Quantile(quantile), exact) << count << " " << quantile;
      EXPECT_LE(histogram.Quantile(quantile), exact + exact / 16) << count << " " << quantile;
    }
  }
}

TEST(DelayHistogramTest, SmallDelaysAreExact) {
  for (int64_t delay = 0; delay < 32; ++delay) EXPECT_EQ(Of({delay}).Quantile(1), delay);
}

TEST(DelayHistogramTest, CountsBelowAPowerOfTwoAreExact) {
  std::vector<int64_t> delays = ManyScales(10'000, 1);
  for (unsigned power = 5; power <= 39; ++power) {
    const int64_t edge = int64_t{1} << power;
    delays.insert(delays.end(), {edge - 1, edge, edge + 1});
  }
  const DelayHistogram histogram = Of(delays);
  for (unsigned power = 5; power <= 40; ++power) {
    const auto below = std::count_if(delays.begin(), delays.end(),
                                     [&](int64_t delay) { return delay < int64_t{1} << power; });
    EXPECT_EQ(histogram.CountBelow(power), static_cast<uint64_t>(below)) << power;
  }
}

TEST(DelayHistogramTest, CountAndSumAreThoseOfTheDelays) {
  const DelayHistogram histogram = Of({5, 1'000'000, 70});
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_EQ(histogram.sum_ns(), 1'000'075u);
}

TEST(DelayHistogramTest, DelaysOutsideTheRangeCountAsItsEnds) {
  EXPECT_EQ(Of({-1}).Quantile(1), 0);
  EXPECT_EQ(Of({INT64_MIN}).sum_ns(), 0u);
  EXPECT_EQ(Of({INT64_MAX}).Quantile(1), DelayHistogram::kMostNs);
  EXPECT_EQ(Of({INT64_MAX}).CountBelow(40), 1u);
}

TEST(DelayHistogramTest, AnEmptyOneHasQuantileZero) {
  EXPECT_EQ(DelayHistogram().Quantile(0.99), 0);
  EXPECT_EQ(DelayHistogram().count(), 0u);
}

TEST(DelayHistogramTest, HistogramsAddUpAndTheDifferenceIsTheTimeBetween) {
  const auto early = ManyScales(1000, 2);
  const auto late = ManyScales(500, 3);
  DelayHistogram both = Of(early);
  both.Add(Of(late));
  EXPECT_EQ(both.count(), 1500u);
  DelayHistogram difference = both;
  difference.Subtract(Of(early));
  EXPECT_EQ(difference.sum_ns(), Of(late).sum_ns());
  for (const double quantile : {0.1, 0.5, 0.99, 1.0}) {
    EXPECT_EQ(difference.Quantile(quantile), Of(late).Quantile(quantile));
  }
}

}  // namespace
}  // namespace weir

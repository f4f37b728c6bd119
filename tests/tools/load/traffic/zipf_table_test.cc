#include "tools/load/traffic/zipf_table.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tools/load/traffic/random.h"

namespace weir::load {
namespace {

TEST(ZipfTableTest, WeightsArePowers) {
  for (const double exponent : {0.0, 0.5, 1.0, 1.2, 2.0}) {
    const std::vector<uint64_t> weights = ZipfWeights(10'000, exponent);
    for (uint32_t k = 0; k < weights.size(); k += 1 + k / 10) {
      const double expected = std::ldexp(std::pow(k + 1, -exponent), 62);
      ASSERT_NEAR(static_cast<double>(weights[k]), expected, expected * 1e-7) << k;
    }
  }
}

// Not by chance: all random numbers of a coarse grid, each place's in equal parts.
TEST(ZipfTableTest, EachNumberHasItsShare) {
  for (const double exponent : {0.8, 1.0, 1.5}) {
    constexpr uint32_t kCount = 100;
    constexpr uint64_t kSteps = 2'000;
    const ZipfTable table(kCount, exponent);
    std::vector<double> seen(kCount);
    for (uint64_t place = 0; place < kCount; ++place) {
      const uint64_t upper = ((place << 32) + kCount - 1) / kCount;
      for (uint64_t step = 0; step < kSteps; ++step) {
        ++seen[table.At(upper << 32 | ((step * 2 + 1) << 31) / kSteps)];
      }
    }
    double sum = 0;
    for (uint32_t k = 0; k < kCount; ++k) sum += std::pow(k + 1, -exponent);
    for (uint32_t k = 0; k < kCount; ++k) {
      const double expected = std::pow(k + 1, -exponent) / sum * kCount * kSteps;
      EXPECT_NEAR(seen[k], expected, 2 + kCount) << k;
    }
  }
}

TEST(ZipfTableTest, OneNumberIsAlwaysDrawn) {
  const ZipfTable table(1, 1.0);
  Random random(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(table.At(random.Next()), 0u);
}

TEST(ZipfTableTest, ExponentZeroIsUniform) {
  const ZipfTable table(10, 0);
  Random random(1);
  std::vector<int> seen(10);
  for (int i = 0; i < 100'000; ++i) ++seen[table.At(random.Next())];
  for (int count : seen) EXPECT_NEAR(count, 10'000, 500);
}

}  // namespace
}  // namespace weir::load

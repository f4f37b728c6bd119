#include "tools/load/traffic/zipf_table.h"

#include <array>
#include <bit>

namespace weir::load {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr int kFractionBits = 32;  // of logarithms
constexpr int kUnitBits = 62;      // of weights: 2^62 is 1

// Binary logarithm in units of 2^-32, one bit of the fraction by each squaring.
uint64_t Log2(uint32_t number) {
  const auto whole = static_cast<uint64_t>(std::bit_width(number) - 1);
  uint64_t mantissa = uint64_t{number} << (kUnitBits - whole);  // 1 to 2
  uint64_t fraction = 0;
  for (int i = 0; i < kFractionBits; ++i) {
    mantissa = static_cast<uint64_t>(Wide{mantissa} * mantissa >> kUnitBits);
    const bool bit = mantissa >> (kUnitBits + 1) != 0;
    fraction = fraction * 2 + bit;
    mantissa >>= bit;
  }
  return whole << kFractionBits | fraction;
}

uint64_t SquareRoot(Wide square) {
  uint64_t root = 0;
  for (uint64_t bit = uint64_t{1} << 63; bit != 0; bit >>= 1) {
    if (Wide{root | bit} * (root | bit) <= square) root |= bit;
  }
  return root;
}

// 2 to the power of -1/2, -1/4, -1/8...
std::array<uint64_t, kFractionBits> NegativePowers() {
  std::array<uint64_t, kFractionBits> powers;
  Wide power = Wide{1} << (kUnitBits - 1);
  for (uint64_t& root : powers) power = root = SquareRoot(power << kUnitBits);
  return powers;
}

// 2^-exponent; the exponent in units of 2^-32.
uint64_t NegativePower(Wide exponent, const std::array<uint64_t, kFractionBits>& powers) {
  const Wide whole = exponent >> kFractionBits;
  if (whole > kUnitBits) return 0;
  uint64_t result = uint64_t{1} << kUnitBits;
  for (int i = 0; i < kFractionBits; ++i) {
    if ((exponent >> (kFractionBits - 1 - i) & 1) == 0) continue;
    result = static_cast<uint64_t>(Wide{result} * powers[static_cast<size_t>(i)] >> kUnitBits);
  }
  return result >> static_cast<int>(whole);
}

}  // namespace

std::vector<uint64_t> ZipfWeights(uint32_t count, double exponent) {
  const auto scaled = static_cast<uint64_t>(exponent * 4294967296.0);
  const std::array<uint64_t, kFractionBits> powers = NegativePowers();
  std::vector<uint64_t> weights(count);
  for (uint32_t k = 0; k < count; ++k) {
    weights[k] = NegativePower(Wide{scaled} * Log2(k + 1) >> kFractionBits, powers);
  }
  return weights;
}

ZipfTable::ZipfTable(uint32_t count, double exponent) : entries_(count) {
  std::vector<uint64_t> shares = ZipfWeights(count, exponent);
  Wide sum = 0;
  for (const uint64_t weight : shares) sum += weight;
  // In units of which the average has 2^32; the first is at most count * 2^32.
  constexpr uint64_t kAverage = uint64_t{1} << 32;
  const auto unit = static_cast<uint64_t>(sum / count + 1);
  std::vector<uint32_t> small, large;
  for (uint32_t k = 0; k < count; ++k) {
    shares[k] = static_cast<uint64_t>((Wide{shares[k]} << 32) / unit);
    (shares[k] < kAverage ? small : large).push_back(k);
    entries_[k] = {UINT32_MAX, k};  // stays so where rounding leaves a rest
  }
  while (!small.empty() && !large.empty()) {
    const uint32_t poor = small.back(), rich = large.back();
    small.pop_back();
    const uint64_t own = shares[poor];
    entries_[poor] = {static_cast<uint32_t>(own == 0 ? 0 : own - 1), rich};
    shares[rich] -= kAverage - own;
    if (shares[rich] >= kAverage) continue;
    large.pop_back();
    small.push_back(rich);
  }
}

}  // namespace weir::load

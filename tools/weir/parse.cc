#include "tools/weir/parse.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace weir {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr double kKibi = 1024, kMebi = kKibi * kKibi, kGibi = kMebi * kKibi, kTebi = kGibi * kKibi;
constexpr Unit kCountUnits[] = {{"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}};
constexpr Unit kSizeUnits[] = {{"", 1},        {"B", 1},     {"k", kKibi},   {"K", kKibi},
                               {"KiB", kKibi}, {"kB", 1e3},  {"KB", 1e3},    {"M", kMebi},
                               {"MiB", kMebi}, {"MB", 1e6},  {"G", kGibi},   {"GiB", kGibi},
                               {"GB", 1e9},    {"T", kTebi}, {"TiB", kTebi}, {"TB", 1e12}};
constexpr Unit kTimeUnits[] = {{"ns", 1},     {"us", 1e3},   {"ms", 1e6},
                               {"s", 1e9},    {"sec", 1e9},  {"m", 60e9},
                               {"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}};

// The number at the start of `text` times the unit that is the rest. Empty when either is wrong or
// the product does not fit into `limit`.
std::optional<double> Scale(std::string_view text, std::span<const Unit> units, double limit) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc() || !(number >= 0)) return std::nullopt;
  const std::string_view name(rest, static_cast<size_t>(end - rest));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    const double product = number * unit.factor;
    if (product < limit) return std::round(product);
  }
  return std::nullopt;
}

absl::Status Wanted(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrFormat("'%s' is not %s", text, what));
}

absl::StatusOr<uint64_t> ParseUnsigned(std::string_view text, std::span<const Unit> units,
                                       std::string_view what) {
  const auto value = Scale(text, units, 0x1p63);
  if (!value) return Wanted(text, what);
  return static_cast<uint64_t>(*value);
}

}  // namespace

absl::StatusOr<uint64_t> ParseCount(std::string_view text) {
  return ParseUnsigned(text, kCountUnits, "a count: write 1000, 100k or 1M");
}

absl::StatusOr<uint64_t> ParseSize(std::string_view text) {
  return ParseUnsigned(text, kSizeUnits, "a size: write 1500, 64k, 1MiB or 2GB");
}

absl::StatusOr<int64_t> ParseDuration(std::string_view text) {
  if (text == "0") return 0;
  const auto value = Scale(text, kTimeUnits, 0x1p63);
  if (!value) return Wanted(text, "a time: write 250us, 1ms, 5s, 5min, 2h or 30d");
  return static_cast<int64_t>(*value);
}

absl::StatusOr<RotateAt> ParseRotate(std::string_view text) {
  constexpr std::string_view kWhat = "a size or a time: write 100MiB, 1G, 60s, 5min or 1d";
  const bool ambiguous = text.ends_with('m');
  if (const auto age_ns = ParseDuration(text); age_ns.ok() && !ambiguous && *age_ns > 0) {
    return RotateAt{0, *age_ns};
  }
  if (const auto bytes = ParseSize(text); bytes.ok() && *bytes > 0) return RotateAt{*bytes, 0};
  return Wanted(text, kWhat);
}

absl::StatusOr<std::vector<std::string_view>> ParseList(std::string_view text) {
  std::vector<std::string_view> parts;
  for (size_t start = 0; start <= text.size();) {
    const size_t comma = std::min(text.find(',', start), text.size());
    if (comma == start) return Wanted(text, "a list: write one,two,three");
    parts.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return parts;
}

std::pair<std::string_view, std::string_view> SplitPair(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return {text, {}};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace weir

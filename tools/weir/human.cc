#include "tools/weir/human.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/export/text.h"

namespace weir {
namespace {

constexpr int64_t kMillisecond = 1'000'000;
constexpr int64_t kSecond = 1'000 * kMillisecond;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

// Three digits that count: "1.23", "12.3", "123".
std::string ThreeDigits(double value) {
  return absl::StrFormat("%.*f", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value);
}

struct Scaled {
  double value;
  const char* prefix;
};
Scaled Scale(double value) {
  constexpr std::array<const char*, 6> kPrefixes = {"", "k", "M", "G", "T", "P"};
  size_t i = 0;
  while (value >= 999.5 && i + 1 < kPrefixes.size()) {
    value /= 1000;
    ++i;
  }
  return {value, kPrefixes[i]};
}

bool IsIcmp(const FlowKey& key) {
  return key.protocol == ip_protocol::kIcmp || key.protocol == ip_protocol::kIcmpv6;
}

bool HasPorts(const FlowKey& key) { return key.source_port != 0 || key.destination_port != 0; }

}  // namespace

std::string HumanCount(uint64_t count) {
  const std::string digits = absl::StrCat(count);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text.push_back(',');
    text.push_back(digits[i]);
  }
  return text;
}

std::string HumanBytes(uint64_t bytes) {
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  const Scaled scaled = Scale(static_cast<double>(bytes));
  return absl::StrCat(ThreeDigits(scaled.value), " ", scaled.prefix, "B");
}

std::string HumanBitRate(double bits_per_s) {
  const Scaled scaled = Scale(bits_per_s);
  return absl::StrCat(ThreeDigits(scaled.value), " ", scaled.prefix, "bit/s");
}

std::string HumanRate(double per_s) {
  if (per_s < 999.5) return absl::StrFormat("%.0f", per_s);
  const Scaled scaled = Scale(per_s);
  return absl::StrCat(ThreeDigits(scaled.value), " ", scaled.prefix);
}

std::string HumanDuration(int64_t ns) {
  if (ns < 10'000) return absl::StrCat(ns, " ns");
  if (ns < kMillisecond) return absl::StrCat(ns / 1000, " us");
  if (ns < kSecond) return absl::StrCat(ns / kMillisecond, " ms");
  if (ns < kMinute) return absl::StrFormat("%.1f s", static_cast<double>(ns) / kSecond);
  if (ns < kHour) return absl::StrFormat("%d min %02d s", ns / kMinute, ns % kMinute / kSecond);
  if (ns < kDay) return absl::StrFormat("%d h %02d min", ns / kHour, ns % kHour / kMinute);
  return absl::StrFormat("%d d %02d h", ns / kDay, ns % kDay / kHour);
}

std::string HumanShare(uint64_t part, uint64_t whole) {
  if (whole == 0) return "";
  const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  if (part > 0 && percent < 0.1) return "<0.1 %";
  if (part < whole && percent > 99.9) return ">99.9 %";
  return absl::StrFormat("%.1f %%", percent);
}

std::string HumanEndpoint(const FlowKey& key, int side) {
  const auto& bytes = side == 0 ? key.source : key.destination;
  const AddressText text = TextOfAddress(key.family, bytes.data());
  std::string address(text.view());
  if (IsIcmp(key) || !HasPorts(key)) return address;
  const uint16_t port = side == 0 ? key.source_port : key.destination_port;
  if (key.family == AddressFamily::kIpv6) return absl::StrCat("[", address, "]:", port);
  return absl::StrCat(address, ":", port);
}

std::string HumanFlow(const FlowRecord& record) {
  const FlowKey& key = record.key;
  std::string protocol = key.family == AddressFamily::kMac
                             ? "Ethernet"
                             : std::string(TextOfProtocol(key.protocol).view());
  if (IsIcmp(key)) absl::StrAppend(&protocol, " type ", static_cast<int>(record.icmp_type));
  return absl::StrCat(protocol, " ", HumanEndpoint(key, 0), " > ", HumanEndpoint(key, 1));
}

std::string Left(std::string_view text, size_t width) {
  return absl::StrFormat("%-*s", static_cast<int>(width), text);
}

std::string Right(std::string_view text, size_t width) {
  return absl::StrFormat("%*s", static_cast<int>(width), text);
}

}  // namespace weir

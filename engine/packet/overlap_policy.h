// Which bytes stay where two pieces of a TCP stream, or two IPv4 fragments, cover the same place.
//
// What a receiver keeps depends on its operating system; a sensor that decides otherwise sees other
// bytes than the receiver does. The rules were published by Shankar and Paxson ("Active Mapping",
// IEEE S&P 2003), Novak ("Target-Based Fragmentation Reassembly", Sourcefire 2005) and Novak and
// Sturges ("Target-Based TCP Stream Reassembly", Sourcefire 2007); names and groups are those of
// Suricata's host-os-policy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

enum class OverlapPolicy : uint8_t {
  kFirst,  // what came first stays
  kLast,   // what came last stays
  kBsd,
  kBsdRight,  // differs from kBsd in fragments only
  kOldLinux,  // 2.2 and before
  kLinux,
  kOldSolaris,
  kSolaris,
  kHpux10,
  kHpux11,
  kIrix,
  kMacos,
  kWindows,  // up to XP
  kVista,
  kWindows2k3,
  kCount,
};

inline constexpr size_t kOverlapPolicies = static_cast<size_t>(OverlapPolicy::kCount);

inline constexpr std::array<std::string_view, kOverlapPolicies> kOverlapPolicyNames = {
    "first",  "last",   "bsd",  "bsd-right", "old-linux", "linux", "old-solaris", "solaris",
    "hpux10", "hpux11", "irix", "macos",     "windows",   "vista", "windows2k3"};

constexpr std::string_view Name(OverlapPolicy policy) {
  return kOverlapPolicyNames[static_cast<size_t>(policy)];
}

constexpr std::optional<OverlapPolicy> OverlapPolicyOf(std::string_view name) {
  for (size_t i = 0; i < kOverlapPolicies; ++i) {
    if (kOverlapPolicyNames[i] == name) return static_cast<OverlapPolicy>(i);
  }
  return std::nullopt;
}

}  // namespace weir

// Whose bytes stay where an IPv4 fragment covers a part of one that was stored before: a table from
// policy and relation of the two to the winner.
//
// Source: Shankar and Paxson, "Active Mapping" (IEEE S&P 2003), table 1 and section 4, and Novak,
// "Target-Based Fragmentation Reassembly" (Sourcefire 2005), which also tried fragments that end
// alike or lie within each other. Names map to rules as in Suricata's host-os-policy. Where
// Suricata has no rule (BSD-right) Novak's stands, which agrees with the 2003 paper where that one
// speaks. Linux 4.19 and later discard a datagram whose fragments overlap; `linux` is what came
// before.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/packet/overlap_policy.h"

namespace weir {

// A fragment's place, in units of 8 bytes: RFC 791 section 3.2. The last one's end is rounded up;
// this changes no comparison, as nothing else reaches into its last unit.
struct FragmentPlace {
  uint32_t start = 0;
  uint32_t end = 0;  // behind the last one
};

// o: the old fragment's bytes stay, n: the new one's. `old` is what is left of a fragment after
// those that came later, `new` the fragment as it came.
//
//   old starts   before new  where new does  behind new's start
//   old ends     <  =  >     <  =  >         <  =  >              than, as, than new
inline constexpr std::array<std::string_view, 7> kFragmentRules = {
    "ooo ooo ooo",  // 0 first:     what came first
    "nnn nnn nnn",  // 1 last:      what came last
    "ooo ooo nnn",  // 2 BSD:       old, unless new starts before it
    "noo nno nno",  // 3 BSD-right: who ends later; if both end alike, old only if it starts before
    "ooo nnn nnn",  // 4 Linux:     old if it starts before
    "ooo ooo nno",  // 5 Solaris:   old, unless new starts before it and ends with or behind it
    "ooo ooo noo",  // 6 Windows:   old, unless new starts before it and ends behind it
};

inline constexpr std::array<uint8_t, kOverlapPolicies> kFragmentRuleOf = {
    0,  // kFirst
    1,  // kLast
    2,  // kBsd
    3,  // kBsdRight
    4,  // kOldLinux
    4,  // kLinux
    0,  // kOldSolaris
    5,  // kSolaris
    2,  // kHpux10
    0,  // kHpux11
    2,  // kIrix
    0,  // kMacos
    6,  // kWindows
    6,  // kVista
    6,  // kWindows2k3
};

// Whether the bytes of `fresh` replace those of `old` where both are.
constexpr bool NewFragmentWins(OverlapPolicy policy, FragmentPlace old, FragmentPlace fresh) {
  const auto side = [](uint32_t a, uint32_t b) -> size_t { return a < b ? 0 : a == b ? 1 : 2; };
  const std::string_view rule = kFragmentRules[kFragmentRuleOf[static_cast<size_t>(policy)]];
  return rule[4 * side(old.start, fresh.start) + side(old.end, fresh.end)] == 'n';
}

}  // namespace weir

// Why a filter refused a frame, in the kernel or in the shard: the same names in both.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

enum class FilterReason : uint8_t {
  kNotIp,               // --ip-only, and the EtherType is not IP's
  kVlan,                // of another VLAN than those that were asked for
  kIgnoredDestination,  // to a network of the ignore list
  kNotAcceptedSource,   // from no network of the accept list
  kExpression,          // --filter does not match
  kOther,               // a PacketFilter of the embedder's
  kCount,
};
inline constexpr size_t kFilterReasons = static_cast<size_t>(FilterReason::kCount);

using FilterCounts = std::array<uint64_t, kFilterReasons>;

// As in EVE, Prometheus and reports.
constexpr std::string_view Name(FilterReason reason) {
  constexpr std::array<std::string_view, kFilterReasons> kNames = {
      "not_ip", "vlan", "ignored_destination", "not_accepted_source", "expression", "other"};
  return kNames[static_cast<size_t>(reason)];
}

}  // namespace weir

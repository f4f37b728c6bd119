#include "engine/packet/verdict.h"

#include <array>

namespace weir {
namespace {

constexpr std::array<std::string_view, kMalformedReasons> kMalformedNames = {
    "link_truncated",    "ip_truncated",    "ip_version",
    "ip_header_length",  "ip_total_length", "transport_truncated",
    "extension_headers", "tunnel_depth",    "link_header"};
constexpr std::array<std::string_view, kShedReasons> kShedNames = {"tunnel_table", "overload"};
constexpr std::array<std::string_view, kFragmentDropReasons> kFragmentDropNames = {
    "timeout", "memory", "overlap", "oversize", "bad_length", "nesting", "truncated", "end"};
constexpr std::array<std::string_view, kAnomalies> kAnomalyNames = {
    "tcp_header_truncated", "tcp_data_offset", "udp_length",      "ip_length_beyond_frame",
    "ipv4_header_checksum", "tcp_flags",       "time_regression", "transport_checksum"};

static_assert(!kMalformedNames.back().empty() && !kShedNames.back().empty() &&
              !kFragmentDropNames.back().empty() && !kAnomalyNames.back().empty());

}  // namespace

std::string_view Name(Malformed reason) { return kMalformedNames[static_cast<size_t>(reason)]; }
std::string_view Name(Shed reason) { return kShedNames[static_cast<size_t>(reason)]; }
std::string_view Name(FragmentDrop reason) {
  return kFragmentDropNames[static_cast<size_t>(reason)];
}
std::string_view Name(Anomaly anomaly) { return kAnomalyNames[static_cast<size_t>(anomaly)]; }

}  // namespace weir

#include "rings/filter_rules.h"

#include <charconv>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

// The rules' one text, for frames in memory.
#define WEIR_FRAME const weir::Frame*
#define WEIR_LOAD(frame, offset, to) weir::LoadBytes(*(frame), offset, to, sizeof *(to))
#define WEIR_RULES const weir::FilterRules*
#define WEIR_HOLDS(rules, list, key, bytes) weir::Holds(*(rules), list, key)

namespace weir {
namespace {

bool LoadBytes(const Frame& frame, uint32_t offset, void* to, size_t bytes) {
  if (size_t{offset} + bytes > frame.captured_length) return false;
  std::memcpy(to, frame.data + offset, bytes);
  return true;
}

bool Holds(const FilterRules& rules, int list, const uint8_t* key);

}  // namespace
}  // namespace weir

#include "bpf/frame_rules.h"

namespace weir {
namespace {

// Of the rules that there are: flags say which.
bool Holds(const FilterRules& rules, int list, const uint8_t* key) {
  switch (list) {
    case WEIR_VLANS:
      return rules.vlans->test(static_cast<size_t>(key[0]) << 8 | key[1]);
    case WEIR_IGNORED_IPV4:
      return rules.ignore_destinations->ContainsIpv4(key);
    case WEIR_IGNORED_IPV6:
      return rules.ignore_destinations->ContainsIpv6(key);
    case WEIR_ACCEPTED_IPV4:
      return rules.accept_sources->ContainsIpv4(key);
    default:
      return rules.accept_sources->ContainsIpv6(key);
  }
}

// Without header_bytes: raw IP.
weir_link LinkOf(const Frame& frame) {
  weir_link link{};
  link.tag_taken_out = frame.vlan_tpid != 0;
  link.tag = frame.vlan_tci;
  switch (frame.link_type) {
    case link_type::kEthernet:
      link.type_at = 12;
      link.header_bytes = 14;
      break;
    case link_type::kLinuxSll:
      link.type_at = 14;
      link.header_bytes = 16;
      break;
    case link_type::kLinuxSll2:
      link.type_at = 0;
      link.header_bytes = 20;
      break;
    default:
      break;
  }
  return link;
}

std::optional<FilterReason> Decide(const FilterRules& rules, const weir_facts& facts) {
  const int verdict = weir_decide(&rules, rules.Flags(), &facts);
  if (verdict == WEIR_ACCEPTED) return std::nullopt;
  return static_cast<FilterReason>(verdict - 1);
}
static_assert(WEIR_NOT_IP - 1 == static_cast<int>(FilterReason::kNotIp) &&
              WEIR_NOT_EXPRESSION - 1 == static_cast<int>(FilterReason::kExpression));

absl::StatusOr<std::optional<CidrSet>> ReadIfGiven(const std::string& path) {
  if (path.empty()) return std::optional<CidrSet>();
  absl::StatusOr<CidrSet> set = CidrSet::ReadFile(path);
  if (!set.ok()) return set.status();
  return std::optional<CidrSet>(*std::move(set));
}

// An id of the field; false: it is none.
bool ReadId(absl::string_view text, size_t& id) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() && id >= 1 && id <= 4094;
}

}  // namespace

uint32_t FilterRules::Flags() const {
  uint32_t flags = 0;
  if (ip_only) flags |= WEIR_IP_ONLY;
  if (vlans) flags |= WEIR_BY_VLAN;
  if (ignore_destinations) flags |= WEIR_IGNORE;
  if (accept_sources) flags |= WEIR_ACCEPT;
  return flags;
}

bool FilterRules::Reads(uint16_t link_type) {
  switch (link_type) {
    case link_type::kEthernet:
    case link_type::kLinuxSll:
    case link_type::kLinuxSll2:
    case link_type::kRaw:
    case link_type::kRawBsd:
    case link_type::kRawOpenBsd:
    case link_type::kIpv4:
    case link_type::kIpv6:
      return true;
    default:
      return false;
  }
}

std::optional<FilterReason> FilterRules::WhyRefused(const Frame& frame) const {
  const weir_link link = LinkOf(frame);
  weir_facts facts{};
  weir_find_facts(&frame, &link, &facts);
  return Decide(*this, facts);
}

std::optional<FilterReason> FilterRules::WhyRefused(const Facts& found) const {
  weir_facts facts{};
  facts.version = found.ip_version;
  facts.vlan[0] = static_cast<uint8_t>(found.vlan >> 8);
  facts.vlan[1] = static_cast<uint8_t>(found.vlan);
  if (found.source != nullptr && found.destination != nullptr && found.ip_version != 0) {
    const size_t bytes = found.ip_version == 4 ? 4 : 16;
    std::memcpy(facts.source, found.source, bytes);
    std::memcpy(facts.destination, found.destination, bytes);
    facts.has_addresses = 1;
  }
  return Decide(*this, facts);
}

absl::StatusOr<VlanSet> ParseVlans(std::string_view text) {
  VlanSet vlans;
  for (const absl::string_view part :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    if (part == "untagged") {
      vlans.set(0);
      continue;
    }
    const size_t dash = part.find('-');
    size_t first = 0, last = 0;
    const bool ends_are_ids =
        ReadId(part.substr(0, dash), first) &&
        ReadId(dash == absl::string_view::npos ? part : part.substr(dash + 1), last);
    if (!ends_are_ids || first > last) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", part, "\" is no VLAN: write ids from 1 to 4094, like 7,100-199,untagged"));
    }
    for (size_t id = first; id <= last; ++id) vlans.set(id);
  }
  return vlans;
}

absl::Status ReadLists(const std::string& ignore_destinations, const std::string& accept_sources,
                       FilterRules& rules) {
  auto accept = ReadIfGiven(accept_sources);
  if (!accept.ok()) return accept.status();
  if (accept->has_value() && (*accept)->empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(accept_sources, ": no network in it, so nothing would pass"));
  }
  auto ignore = ReadIfGiven(ignore_destinations);
  if (!ignore.ok()) return ignore.status();
  rules.accept_sources = *std::move(accept);
  rules.ignore_destinations = *std::move(ignore);
  return absl::OkStatus();
}

}  // namespace weir

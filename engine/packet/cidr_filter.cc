#include "engine/packet/cidr_filter.h"

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

bool Contains(const CidrSet& set, AddressFamily family, const uint8_t* address) {
  if (address == nullptr) return false;
  switch (family) {
    case AddressFamily::kIpv4:
      return set.ContainsIpv4(address);
    case AddressFamily::kIpv6:
      return set.ContainsIpv6(address);
    default:
      return false;
  }
}

absl::StatusOr<std::optional<CidrSet>> ReadIfGiven(const std::string& path) {
  if (path.empty()) return std::optional<CidrSet>();
  absl::StatusOr<CidrSet> set = CidrSet::ReadFile(path);
  if (!set.ok()) return set.status();
  return std::optional<CidrSet>(*std::move(set));
}

}  // namespace

absl::StatusOr<std::shared_ptr<PacketFilter>> CidrFilter::FromFiles(
    const std::string& accept_source_path, const std::string& ignore_destination_path) {
  auto accept = ReadIfGiven(accept_source_path);
  if (!accept.ok()) return accept.status();
  if (accept->has_value() && (*accept)->empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(accept_source_path, ": no network in it, so nothing would pass"));
  }
  auto ignore = ReadIfGiven(ignore_destination_path);
  if (!ignore.ok()) return ignore.status();
  return std::make_shared<CidrFilter>(*std::move(accept), *std::move(ignore));
}

bool CidrFilter::Passes(const Packet& packet) const {
  if (accept_source_ && !Contains(*accept_source_, packet.family, packet.source)) return false;
  return !ignore_destination_ || !Contains(*ignore_destination_, packet.family, packet.destination);
}

void CidrFilter::Apply(std::span<const Frame>, std::span<Packet> packets) {
  for (Packet& packet : packets) {
    if (!Passes(packet)) packet.verdict = Verdict::kFiltered;
  }
}

}  // namespace weir

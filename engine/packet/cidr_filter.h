// --accept-src and --ignore-dst: which packets count, by the networks of their addresses.
//
// The addresses are those of the innermost IP header that was decoded, like the flow key's (--decap
// off: the outermost's). What has no IP address (ARP, a header that could not be read) comes from
// no network: with `accept_source` it is filtered, with `ignore_destination` alone it stays.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "engine/packet/cidr_set.h"
#include "engine/packet/packet_filter.h"

namespace weir {

class CidrFilter : public PacketFilter {
 public:
  // A packet passes when its source is in `accept_source`, if given, and its destination is not in
  // `ignore_destination`, if given.
  CidrFilter(std::optional<CidrSet> accept_source, std::optional<CidrSet> ignore_destination)
      : accept_source_(std::move(accept_source)),
        ignore_destination_(std::move(ignore_destination)) {}

  // From files; an empty path is "not given". An accept list without a network is an error: nothing
  // would pass.
  static absl::StatusOr<std::shared_ptr<PacketFilter>> FromFiles(
      const std::string& accept_source_path, const std::string& ignore_destination_path);

  void Apply(std::span<const Frame> frames, std::span<Packet> packets) override;

 private:
  bool Passes(const Packet& packet) const;

  std::optional<CidrSet> accept_source_;
  std::optional<CidrSet> ignore_destination_;
};

}  // namespace weir

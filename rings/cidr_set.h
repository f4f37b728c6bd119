// A set of networks, IPv4 and IPv6, from a file of CIDR blocks: one on each line, # starts a
// comment, blank lines do not count, an address without /length is a network of its own.
//
// Flat sorted intervals: a look-up is a binary search and allocates nothing. At most kMostNetworks
// of them. Thread: const after construction. Errors name the file, the line and what is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace weir {

class CidrSet {
 public:
  static constexpr size_t kMostNetworks = 1 << 20;

  struct Network {
    bool ipv6 = false;
    uint8_t address[16] = {};  // in network order, 4 or 16 bytes
    int length = 0;            // bits of it that count
  };
  struct Ipv4Range {
    uint32_t first, last;  // host order, both included
  };

  // InvalidArgument: a line is no network. NotFound and others: the file cannot be read.
  static absl::StatusOr<CidrSet> ReadFile(const std::string& path);

  // The same from memory; `name` stands in errors.
  static absl::StatusOr<CidrSet> Parse(std::string_view text, std::string_view name);

  // `address` in network order: 4 or 16 bytes.
  bool ContainsIpv4(const uint8_t* address) const;
  bool ContainsIpv6(const uint8_t* address) const;

  // The fewest networks that make the same set, in order, IPv4 first.
  std::vector<Network> Networks() const;
  // The IPv4 part as disjoint ranges, in order.
  std::vector<Ipv4Range> Ipv4Ranges() const;

  bool empty() const { return ipv4_.starts.empty() && ipv6_.starts.empty(); }

 private:
  using Address128 = unsigned __int128;

  // Disjoint, in order: [starts[i], ends[i]].
  template <typename Address>
  struct Intervals {
    std::vector<Address> starts, ends;
    void Add(Address start, Address end);
    void Settle();
    bool Contains(Address address) const;
  };

  absl::Status AddLine(std::string_view line);

  Intervals<uint32_t> ipv4_;
  Intervals<Address128> ipv6_;
};

}  // namespace weir

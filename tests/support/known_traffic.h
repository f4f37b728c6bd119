// Frames between a few addresses, and their totals as the sender knows them: both families, UDP and
// TCP, both directions, fragments, extension headers.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/packet_builder.h"

namespace weir::test {

// Sent packets and bytes, received packets and bytes, by address as in FlowKey.
using AddressTotals = std::map<std::array<uint8_t, 16>, std::array<uint64_t, 4>>;

std::array<uint8_t, 16> AddressOf(const std::string& text);

void AddTo(AddressTotals& totals, const std::array<uint8_t, 16>& from,
           const std::array<uint8_t, 16>& to, uint64_t packets, uint64_t bytes);

class KnownTraffic {
 public:
  explicit KnownTraffic(int rounds = 20);

  const std::vector<Bytes>& frames() const { return frames_; }
  const AddressTotals& totals() const { return totals_; }
  size_t flows() const { return flows_; }

 private:
  void Add(const std::string& from, const std::string& to, Bytes frame);
  void AddIpv4(const std::string& client, const std::string& server, int round);
  void AddIpv6(const std::string& client, const std::string& server, int round);

  std::vector<Bytes> frames_;
  AddressTotals totals_;
  size_t flows_ = 0;
};

}  // namespace weir::test

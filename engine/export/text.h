// Addresses, protocols and times as text. Thread: any. Allocates nothing: each result stands in an
// object of the caller's.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/packet/packet.h"

namespace weir {

// A short text with its bytes in it.
template <size_t kCapacity>
struct ShortText {
  std::array<char, kCapacity> bytes{};
  size_t size = 0;
  std::string_view view() const { return {bytes.data(), size}; }
};

// "10.0.0.1", "2001:db8::1" (RFC 5952), "00:11:22:33:44:55"; empty for kNone. `bytes` are the first
// 4, 16 or 6 of the address, in network order.
using AddressText = ShortText<46>;
AddressText TextOfAddress(AddressFamily family, const uint8_t* bytes);

// "TCP", "UDP", "IPv6-ICMP": Suricata's names; three digits for what has no common name.
using ProtocolText = ShortText<12>;
ProtocolText TextOfProtocol(uint8_t protocol);

// ISO 8601 with microseconds, UTC, as Suricata writes it: "2024-01-31T12:00:00.000001+0000". Years
// 0 to 9999. Remembers the day: times near each other cost a few divisions.
class TimestampFormatter {
 public:
  using Text = ShortText<31>;
  Text Format(int64_t time_ns);

 private:
  void SetDay(int64_t day);

  int64_t day_ = INT64_MIN;      // since 1970
  std::array<char, 11> date_{};  // "2024-01-31T"
};

}  // namespace weir

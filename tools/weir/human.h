// Numbers, times and endpoints as a person reads them. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/flow/record.h"

namespace weir {

std::string HumanCount(uint64_t count);       // "1,234,567"
std::string HumanBytes(uint64_t bytes);       // "999 B", "1.23 kB", "45.6 GB": powers of 1,000
std::string HumanBitRate(double bits_per_s);  // "98.7 Mbit/s"
std::string HumanRate(double per_s);          // "812", "12.3 k", "1.20 M"
std::string HumanDuration(
    int64_t ns);  // "450 ms", "12.3 s", "5 min 12 s", "3 h 04 min", "2 d 03 h"
std::string HumanShare(uint64_t part, uint64_t whole);  // "12.3 %"; "<0.1 %" for a little

// "10.0.0.1:443", "[2001:db8::1]:443"; without the port where the protocol has none. side 0 is the
// initiator.
std::string HumanEndpoint(const FlowKey& key, int side);

// "TCP 10.0.0.1:40000 > 10.0.0.2:443", "ICMP type 8 10.0.0.1 > 10.0.0.2"
std::string HumanFlow(const FlowRecord& record);

// `text` at the left (or right) of a column; a longer one stays whole.
std::string Left(std::string_view text, size_t width);
std::string Right(std::string_view text, size_t width);

}  // namespace weir

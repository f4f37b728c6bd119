// Some of everything, so that sources and shards can be compared: both families, handshakes, data
// in order, early and again, UDP, ICMP, and where asked for, tunnels, fragments and ICMP errors.
#pragma once

#include <vector>

#include "tests/support/packet_builder.h"

namespace weir::test {

inline constexpr int kRichConversations = 41;  // no multiple of a number of shards

enum class Richness {
  kAll,
  kPlain,  // without tunnels, fragments, ICMP errors: what the kernel's own flow hash keeps whole
};

// Ethernet frames of kRichConversations conversations, by turns. The same each time.
std::vector<Bytes> RichTraffic(Richness richness);

}  // namespace weir::test

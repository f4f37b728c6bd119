// Filter programs for frames whose VLAN tag the kernel took out of the bytes. Cold path.
//
// A packet socket's filter sees such a frame without its outermost tag, which stands beside it
// (SKF_AD_VLAN_TAG of <linux/filter.h>). An expression compiled for the bytes on the wire would say
// something else there than in a capture file: "not ip", "len > 100", "ether[12:2] = 0x8100", and
// "udp port 53", which in tcpdump's language is never true behind a tag that "vlan" did not name.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "absl/status/statusor.h"

namespace weir {

// A program for the kernel that says of each Ethernet frame what `program`, classic BPF without
// knowledge of taken tags, says of the frame as it stood on the wire. About three times as long.
// Unimplemented: a load whose place cannot be told (ether[ether[6]]).
absl::StatusOr<std::vector<sock_filter>> AsOnTheWire(const std::vector<sock_filter>& program);

}  // namespace weir

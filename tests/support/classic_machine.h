// libpcap's compiler and its machine for classic BPF, in a file of their own: its headers and the
// kernel's for eBPF cannot stand together.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/packet_builder.h"

namespace weir::test {

// For Ethernet frames whose VLAN tags are all in their bytes.
std::vector<sock_filter> CompileExpression(const std::string& expression, uint32_t snap_length);

// What the program returns: 0 refuses. Where it asks, no VLAN tag was taken out of the bytes.
uint32_t RunClassic(const std::vector<sock_filter>& program, const Bytes& frame);

}  // namespace weir::test

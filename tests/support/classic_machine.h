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

// A VLAN tag that is not in the bytes.
struct TakenTag {
  uint16_t tpid = 0;  // 0: none was taken out
  uint16_t tci = 0;
};

// What the program returns: 0 refuses.
uint32_t RunClassic(const std::vector<sock_filter>& program, const Bytes& frame,
                    const TakenTag& tag = {});

}  // namespace weir::test

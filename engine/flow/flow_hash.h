// Keys and their hashes: one seeded XXH3 that is equal for both directions of a flow.
#pragma once

#include "engine/flow/flow_table.h"
#include "engine/packet/packet.h"

namespace weir {

// What a key is made of; built once from FlowOptions.
struct KeyRules {
  bool ports = true;          // five-tuple; otherwise only addresses (and the tunnel)
  bool bidirectional = true;  // the lower (address, port) becomes side A
  uint64_t seed = 0;
};

// Fills `key` from the packet's addresses, ports and protocol and from `tunnel`.
void PrepareKey(const KeyRules& rules, const Packet& packet, uint32_t tunnel, PreparedKey& key);

// The hash of a flow that stands in the table.
uint64_t HashOf(const KeyRules& rules, const FlowHot& hot, const FlowAddresses& addresses);

}  // namespace weir

// The Community ID of a flow, version 1, seed 0: the same text in every tool that saw the flow.
// https://github.com/corelight/community-id-spec
//
// Thread: any. Allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/packet/flow_key.h"

namespace weir {

struct CommunityId {
  std::array<char, 30> text{};  // "1:" and 28 letters of base64
  std::string_view view() const { return {text.data(), text.size()}; }
};

// `icmp_type` and `icmp_code` are of the flow's first packet; other protocols ignore them. A key of
// MAC addresses has no Community ID: ask only for kIpv4 and kIpv6.
CommunityId CommunityIdOf(const FlowKey& key, uint8_t icmp_type, uint8_t icmp_code);

}  // namespace weir

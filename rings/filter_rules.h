// Which frames are wanted, by simple rules that run wherever they can: in the kernel (eBPF socket
// filter, XDP, classic BPF) or in the shard. Every place gives the same verdict; bpf/frame_rules.h
// says in detail which. In short: the outermost IP header counts, behind VLAN tags only; rules
// are looked at in the order of FilterReason.
//
// Thread: const after construction; any number of threads may share one. Matching allocates
// nothing; its cost is a binary search for each list.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "rings/cidr_set.h"
#include "rings/filter_reason.h"
#include "rings/frame.h"

namespace weir {

// VLAN ids; 0 is "untagged", which a tag with id 0 is, too.
using VlanSet = std::bitset<4096>;

struct FilterRules {
  bool ip_only = false;
  std::optional<VlanSet> vlans;
  std::optional<CidrSet> ignore_destinations;
  std::optional<CidrSet> accept_sources;  // frames from elsewhere are refused

  // No rule at all: every frame passes.
  bool empty() const { return Flags() == 0; }
  // Which rules there are: weir_rule of bpf/rule_set.h.
  uint32_t Flags() const;

  // Whether these rules can read the headers of such frames: Ethernet, cooked captures and raw IP.
  // Frames of other link types are judged by what the decoder found: WhyRefused(FrameFacts).
  static bool Reads(uint16_t link_type);

  // No value: the frame passes. Its link type is one that Reads.
  std::optional<FilterReason> WhyRefused(const Frame& frame) const;

  // What somebody else found in a frame.
  struct Facts {
    uint8_t ip_version = 0;  // 4 or 6; 0: no IP
    uint16_t vlan = 0;
    const uint8_t* source = nullptr;  // 4 or 16 bytes; null: they could not be read
    const uint8_t* destination = nullptr;
  };
  std::optional<FilterReason> WhyRefused(const Facts& facts) const;
};

// "7,100-199,untagged". Errors say what to write.
absl::StatusOr<VlanSet> ParseVlans(std::string_view text);

// Lists from files (rings/cidr_set.h), into `rules`; an empty path is "no such rule". An accept
// list without a network is an error: nothing would pass. On error `rules` stays as it was.
absl::Status ReadLists(const std::string& ignore_destinations, const std::string& accept_sources,
                       FilterRules& rules);

}  // namespace weir

// The AF_XDP sources of one interface, one for each shard: together they see every frame once, but
// for what is left to the host.
//
// Receive queue q goes to source q modulo their number. Which queue a frame comes in on is the
// device's choice; flows are whole where one source has all queues, or where the device hashes both
// directions alike (receive_hash.h). One program is attached for all of them, when all sockets are
// there, and goes with the last source.
//
// Thread: any one; each source then belongs to its shard. The network namespace, and the NUMA node
// of the memory, are the calling thread's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rings/filter_rules.h"
#include "rings/kernel_filter.h"
#include "rings/xdp_mode.h"
#include "rings/xdp_source.h"

namespace weir {

struct XdpGroupOptions {
  std::string interface;
  XdpMode mode = XdpMode::kCopy;
  size_t ring_bytes = size_t{32} << 20;  // of each queue
  uint32_t snap_length = 262144;         // bytes kept of a frame
  bool promiscuous = true;
  // Which frames are wanted, by XdpGroup::filters; null: all of them, always. The host keeps what
  // is refused where it needs the interface; elsewhere it is dropped.
  std::shared_ptr<const FilterRules> rules;
  uint32_t busy_poll_us = 0;  // 0: interrupts only
  uint32_t busy_poll_budget = 64;
};

struct XdpGroup {
  std::vector<std::unique_ptr<XdpSource>> sources;
  std::shared_ptr<KernelFilter> filters;  // null without rules
  std::vector<std::string> notes;         // what differs from what was asked for, for people
};

// `count` sources, at most as many as the interface has receive queues.
// Where the interface carries the host's own traffic, that stays with the host, and a note says so.
// Needs CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF.
absl::StatusOr<XdpGroup> OpenXdpGroup(const XdpGroupOptions& options, int count);

}  // namespace weir

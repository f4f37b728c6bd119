// The AF_XDP sources of one interface, one for each of its receive queues: together they see every
// frame once, but for what is left to the host.
//
// Which queue a frame comes in on is the device's choice; flows are whole where it hashes both
// directions alike. One program is attached for all of them, when all sockets are there, and goes
// with the last source.
//
// Thread: any one; each source then belongs to its shard. The network namespace, and the NUMA node
// of the memory, are the calling thread's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "rings/xdp_source.h"

namespace weir {

// How frames come from the device into the ring. None is taken in silence instead of another.
enum class XdpMode : uint8_t {
  kZeroCopy,  // the device writes into the ring
  kCopy,      // the driver runs the program, the kernel copies
  kGeneric,   // the kernel runs the program where it would run for a packet socket, and copies
};

// "zero-copy".
std::string_view XdpModeName(XdpMode mode);

struct XdpGroupOptions {
  std::string interface;
  XdpMode mode = XdpMode::kCopy;
  size_t ring_bytes = size_t{32} << 20;  // of each queue
  uint32_t snap_length = 262144;         // bytes kept of a frame
  bool promiscuous = true;
  uint32_t busy_poll_us = 0;  // 0: interrupts only
  uint32_t busy_poll_budget = 64;
};

struct XdpGroup {
  std::vector<std::unique_ptr<XdpSource>> sources;  // by receive queue
  std::vector<std::string> notes;  // what differs from what was asked for, for people
};

// Where the interface carries the host's own traffic, that stays with the host, and a note says so.
// Needs CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF.
absl::StatusOr<XdpGroup> OpenXdpGroup(const XdpGroupOptions& options);

}  // namespace weir

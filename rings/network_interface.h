// What the kernel says of a network interface: netdevice(7), getifaddrs(3).
//
// Cold path, any thread. The network namespace is the calling thread's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace weir {

struct NetworkInterface {
  std::string name;
  int index = 0;
  uint16_t hardware_type = 0;  // ARPHRD_*
  bool up = false;
};

// Fails with a list of the interfaces there are when this one is not among them.
absl::StatusOr<NetworkInterface> FindInterface(const std::string& name);

// "eth0, lo".
std::string InterfaceNames();

// How frames of an interface are captured.
struct LinkLayer {
  uint16_t link_type;
  // True: the link header is left out and frames start with the IP header (SOCK_DGRAM). Tunnels and
  // PPP devices have none, or one that differs by driver.
  bool cooked;
};
LinkLayer LinkLayerOf(uint16_t hardware_type);

// Receive queues that are in use; 1 where the device does not tell.
int ReceiveQueues(const std::string& name);

// Bytes of the largest packet, without the link header; 1500 where the device does not tell.
uint32_t MtuOf(const std::string& name);

// True: the device takes the outer VLAN tag out of the bytes of what it receives
// (ETHTOOL_GFLAGS, rx-vlan-offload).
bool TakesVlanTags(const std::string& name);

// NUMA node of the device; -1: none, not told, a virtual interface.
int NumaNodeOf(const std::string& name);

// Frames that the device could not store (rx_missed_errors); wraps at 2^32. No value: not told.
std::optional<uint32_t> MissedFrames(const std::string& name);

}  // namespace weir

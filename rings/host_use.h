// What the host itself does with an interface: taking frames away from one that it needs would cut
// it off. getifaddrs(3), rtnetlink(7).
//
// Cold path, any thread. The network namespace is the calling thread's.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rings/network_interface.h"

namespace weir {

// IPv6, or IPv4 mapped into it (::ffff:a.b.c.d), network order.
using HostAddress = std::array<uint8_t, 16>;

// Every unicast address of the host, whichever interface has it: frames for a VLAN's or a bridge's
// address come in through the interface below.
std::vector<HostAddress> HostAddresses();

// Why the host needs what the interface receives: "has the address 10.0.0.1", "is a port of br0",
// "carries eth0.10". Empty: it does not, as a port that receives a copy of the traffic. An
// address counts whichever it is, link-local ones too.
absl::StatusOr<std::string> WhyHostNeeds(const NetworkInterface& interface);

}  // namespace weir

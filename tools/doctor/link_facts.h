// Asks the kernel about an interface: ioctl SIOCETHTOOL (<linux/ethtool.h>), getifaddrs(3), and
// netlink for its XDP program. Nothing is changed, and no privilege is needed.
//
// The network namespace is the calling thread's.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "tools/doctor/facts.h"

namespace weir::doctor {

// Fails when there is no such interface. What a driver does not tell stays empty.
absl::StatusOr<LinkFacts> LookAtLink(const std::string& interface);

}  // namespace weir::doctor

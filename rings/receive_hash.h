// How a device spreads flows over its receive queues (RSS): whether both directions of a flow come
// in on the same queue. ETHTOOL_GRSSH of <linux/ethtool.h>.
//
// Cold path, any thread. The network namespace is the calling thread's.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace weir {

// True where the device has one receive queue, or says that its hash is the same for both
// directions. False where it is not, or the device does not tell.
bool FlowsKeepTheirQueue(const std::string& interface);

// A Toeplitz key that gives both directions the same hash: it repeats itself every two bytes, so
// that exchanging addresses or ports changes nothing.
bool IsSymmetricKey(std::span<const uint8_t> key);

}  // namespace weir

// How a device spreads flows over its receive queues (RSS): whether both directions of a flow come
// in on the same queue. ETHTOOL_GRSSH of <linux/ethtool.h>.
//
// Cold path, any thread. The network namespace is the calling thread's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir {

// ETHTOOL_GRSSH
struct ReceiveHash {
  std::string function;      // "toeplitz", "xor", "crc32"; empty: not told
  std::vector<uint8_t> key;  // empty: not told
  bool symmetric_xor = false;
};

// No value: the device has no key, or does not tell.
std::optional<ReceiveHash> ReadReceiveHash(const std::string& interface);

// True where it says so of itself; else it may be so all the same.
bool HashesBothWaysAlike(const ReceiveHash& hash);

// True where the device has one receive queue, or says that its hash is the same for both
// directions. False where it is not, or the device does not tell.
bool FlowsKeepTheirQueue(const std::string& interface);

// A Toeplitz key that gives both directions the same hash: it repeats itself every two bytes, so
// that exchanging addresses or ports changes nothing.
bool IsSymmetricKey(std::span<const uint8_t> key);

}  // namespace weir

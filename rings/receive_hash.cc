#include "rings/receive_hash.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "rings/network_interface.h"
#include "rings/unique_fd.h"

namespace weir {
namespace {

// ETH_RSS_HASH_TOP and so on of the kernel, by bit; RXH_XFRM_SYM_XOR and
// RXH_XFRM_SYM_OR_XOR of newer headers.
constexpr uint8_t kToeplitz = 1, kXor = 2, kCrc32 = 4, kSymmetricInput = 3;

const char* FunctionName(uint8_t bits) {
  if ((bits & kToeplitz) != 0) return "toeplitz";
  if ((bits & kXor) != 0) return "xor";
  return (bits & kCrc32) != 0 ? "crc32" : "";
}

bool Ask(const std::string& interface, void* request) {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq message{};
  std::strncpy(message.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  message.ifr_data = static_cast<char*>(request);
  return fd && ioctl(fd.get(), SIOCETHTOOL, &message) == 0;
}

}  // namespace

bool IsSymmetricKey(std::span<const uint8_t> key) {
  return key.size() > 2 && std::equal(key.begin() + 2, key.end(), key.begin());
}

std::optional<ReceiveHash> ReadReceiveHash(const std::string& interface) {
  ethtool_rxfh sizes{};
  sizes.cmd = ETHTOOL_GRSSH;
  if (!Ask(interface, &sizes) || sizes.key_size == 0) return std::nullopt;
  const size_t table = size_t{sizes.indir_size} * sizeof(uint32_t);
  std::vector<uint8_t> buffer(sizeof(ethtool_rxfh) + table + sizes.key_size);
  auto* const whole = reinterpret_cast<ethtool_rxfh*>(buffer.data());
  *whole = sizes;
  if (!Ask(interface, whole)) return std::nullopt;
  const auto key = std::span(buffer).subspan(sizeof(ethtool_rxfh) + table);
  // The byte behind hfunc is input_xfrm where the kernel has it (Linux 6.8), else 0.
  const uint8_t input = buffer[offsetof(ethtool_rxfh, hfunc) + 1];
  return ReceiveHash{.function = FunctionName(whole->hfunc),
                     .key = {key.begin(), key.end()},
                     .symmetric_xor = (input & kSymmetricInput) != 0};
}

bool HashesBothWaysAlike(const ReceiveHash& hash) {
  if (hash.symmetric_xor || hash.function == "xor") return true;
  return (hash.function.empty() || hash.function == "toeplitz") && IsSymmetricKey(hash.key);
}

bool FlowsKeepTheirQueue(const std::string& interface) {
  if (ReceiveQueues(interface) == 1) return true;
  const std::optional<ReceiveHash> hash = ReadReceiveHash(interface);
  return hash && HashesBothWaysAlike(*hash);
}

}  // namespace weir

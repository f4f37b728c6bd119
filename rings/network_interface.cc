#include "rings/network_interface.h"

#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "rings/frame.h"

namespace weir {
namespace {

absl::Status Ioctl(unsigned long request, ifreq* argument) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot open a socket");
  const int result = ioctl(fd, request, argument);
  const int error = errno;
  close(fd);
  return result == 0 ? absl::OkStatus() : absl::ErrnoToStatus(error, argument->ifr_name);
}

}  // namespace

std::string InterfaceNames() {
  std::string names;
  struct if_nameindex* list = if_nameindex();
  if (list == nullptr) return names;
  for (const struct if_nameindex* at = list; at->if_index != 0; ++at) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", at->if_name);
  }
  if_freenameindex(list);
  return names;
}

absl::StatusOr<NetworkInterface> FindInterface(const std::string& name) {
  NetworkInterface found;
  found.name = name;
  found.index = static_cast<int>(if_nametoindex(name.c_str()));
  if (found.index == 0) {
    return absl::NotFoundError(
        absl::StrFormat("no interface \"%s\": there are %s", name, InterfaceNames()));
  }
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  if (auto status = Ioctl(SIOCGIFHWADDR, &request); !status.ok()) return status;
  found.hardware_type = request.ifr_hwaddr.sa_family;
  if (auto status = Ioctl(SIOCGIFFLAGS, &request); !status.ok()) return status;
  found.up = request.ifr_flags & IFF_UP;
  return found;
}

LinkLayer LinkLayerOf(uint16_t hardware_type) {
  switch (hardware_type) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
      return {link_type::kEthernet, false};
    case ARPHRD_IEEE80211:
      return {link_type::kIeee80211, false};
    case ARPHRD_IEEE80211_RADIOTAP:
      return {link_type::kRadiotap, false};
    case ARPHRD_FDDI:
      return {link_type::kFddi, false};
    case ARPHRD_CISCO:
      return {link_type::kCiscoHdlc, false};
    case ARPHRD_FRAD:
      return {link_type::kFrameRelay, false};
    default:
      return {link_type::kRaw, true};
  }
}

// ETHTOOL_GCHANNELS of <linux/ethtool.h>; the sysfs of the calling thread's may be of another
// namespace.
int ReceiveQueues(const std::string& name) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&channels);
  if (!Ioctl(SIOCETHTOOL, &request).ok()) return 1;
  return std::max(1, static_cast<int>(channels.rx_count + channels.combined_count));
}

uint32_t MtuOf(const std::string& name) {
  constexpr uint32_t kEthernetMtu = 1500;
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  if (!Ioctl(SIOCGIFMTU, &request).ok()) return kEthernetMtu;
  return static_cast<uint32_t>(request.ifr_mtu);
}

bool TakesVlanTags(const std::string& name) {
  ethtool_value flags{};
  flags.cmd = ETHTOOL_GFLAGS;
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&flags);
  return Ioctl(SIOCETHTOOL, &request).ok() && (flags.data & ETH_FLAG_RXVLAN) != 0;
}

int NumaNodeOf(const std::string& name) {
  std::ifstream file(absl::StrCat("/sys/class/net/", name, "/device/numa_node"));
  int node = -1;
  return file >> node ? node : -1;
}

std::optional<uint32_t> MissedFrames(const std::string& name) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return std::nullopt;
  std::optional<uint32_t> missed;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_PACKET) continue;
    if (at->ifa_data == nullptr || name != at->ifa_name) continue;
    missed = static_cast<const rtnl_link_stats*>(at->ifa_data)->rx_missed_errors;
  }
  freeifaddrs(list);
  return missed;
}

}  // namespace weir

#include "tools/doctor/link_facts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "rings/network_interface.h"
#include "rings/unique_fd.h"

namespace weir::doctor {
namespace {

// SIOCETHTOOL of one interface.
class Ethtool {
 public:
  explicit Ethtool(const std::string& interface) : fd_(socket(AF_INET, SOCK_DGRAM, 0)) {
    std::strncpy(request_.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  }

  // `command` is one of the structs of <linux/ethtool.h> that begin with cmd.
  bool Ask(uint32_t cmd, void* command) {
    std::memcpy(command, &cmd, sizeof cmd);
    request_.ifr_data = static_cast<char*>(command);
    return ioctl(fd_.get(), SIOCETHTOOL, &request_) == 0;
  }
  bool Plain(unsigned long code) { return ioctl(fd_.get(), code, &request_) == 0; }
  const ifreq& request() const { return request_; }

  // A set of names (enum ethtool_stringset).
  std::vector<std::string> Names(ethtool_stringset set) {
    std::array<uint64_t, (sizeof(ethtool_sset_info) + sizeof(uint32_t)) / 8 + 1> size_memory{};
    auto* const sizes = reinterpret_cast<ethtool_sset_info*>(size_memory.data());
    sizes->sset_mask = 1ull << set;
    if (!Ask(ETHTOOL_GSSET_INFO, sizes) || sizes->sset_mask == 0) return {};
    uint32_t count;
    std::memcpy(&count, sizes + 1, sizeof count);
    std::vector<uint64_t> memory((sizeof(ethtool_gstrings) + size_t{count} * ETH_GSTRING_LEN) / 8 +
                                 1);
    auto* const strings = reinterpret_cast<ethtool_gstrings*>(memory.data());
    strings->string_set = set;
    strings->len = count;
    if (!Ask(ETHTOOL_GSTRINGS, strings)) return {};
    const auto* const text = reinterpret_cast<const char*>(strings + 1);
    std::vector<std::string> names;
    for (uint32_t i = 0; i < strings->len; ++i) {
      const char* const name = text + size_t{i} * ETH_GSTRING_LEN;
      names.emplace_back(name, strnlen(name, ETH_GSTRING_LEN));
    }
    return names;
  }

 private:
  UniqueFd fd_;
  ifreq request_{};
};

std::map<std::string, Offload> Offloads(Ethtool& ethtool) {
  const std::vector<std::string> names = ethtool.Names(ETH_SS_FEATURES);
  const size_t blocks = (names.size() + 31) / 32;
  std::vector<uint64_t> memory(
      (sizeof(ethtool_gfeatures) + blocks * sizeof(ethtool_get_features_block)) / 8 + 1);
  auto* const features = reinterpret_cast<ethtool_gfeatures*>(memory.data());
  features->size = static_cast<uint32_t>(blocks);
  std::map<std::string, Offload> offloads;
  if (names.empty() || !ethtool.Ask(ETHTOOL_GFEATURES, features)) return offloads;
  const auto* const block = reinterpret_cast<const ethtool_get_features_block*>(features + 1);
  for (size_t i = 0; i < names.size() && i / 32 < features->size; ++i) {
    const uint32_t bit = 1u << i % 32;
    const ethtool_get_features_block& word = block[i / 32];
    const bool changeable = (word.available & bit) != 0 && (word.never_changed & bit) == 0;
    offloads[names[i]] = {.on = (word.active & bit) != 0, .fixed = !changeable};
  }
  return offloads;
}

std::optional<Channels> ChannelsOf(Ethtool& ethtool) {
  ethtool_channels channels{};
  if (!ethtool.Ask(ETHTOOL_GCHANNELS, &channels)) return std::nullopt;
  return Channels{.receive = channels.rx_count + channels.combined_count,
                  .most = std::max(channels.max_rx, channels.max_combined),
                  .combined = channels.max_combined > 0};
}

std::optional<RingSizes> RingsOf(Ethtool& ethtool) {
  ethtool_ringparam rings{};
  if (!ethtool.Ask(ETHTOOL_GRINGPARAM, &rings) || rings.rx_max_pending == 0) return std::nullopt;
  return RingSizes{.receive = rings.rx_pending, .most = rings.rx_max_pending};
}

uint32_t SpeedOf(Ethtool& ethtool) {
  ethtool_cmd command{};
  if (!ethtool.Ask(ETHTOOL_GSET, &command)) return 0;
  const uint32_t speed = ethtool_cmd_speed(&command);
  return speed == static_cast<uint32_t>(SPEED_UNKNOWN) ? 0 : speed;
}

bool StampsInHardware(Ethtool& ethtool) {
  ethtool_ts_info info{};
  return ethtool.Ask(ETHTOOL_GET_TS_INFO, &info) &&
         (info.so_timestamping & SOF_TIMESTAMPING_RX_HARDWARE) != 0;
}

void AddAddresses(LinkFacts& link) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || link.name != at->ifa_name) continue;
    char text[INET6_ADDRSTRLEN] = "";
    switch (at->ifa_addr->sa_family) {
      case AF_INET:
        inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr, text,
                  sizeof text);
        link.addresses.emplace_back(text);
        break;
      case AF_INET6:
        inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr, text,
                  sizeof text);
        link.addresses.emplace_back(text);
        break;
      case AF_PACKET:
        if (at->ifa_data != nullptr)
          link.missed = static_cast<const rtnl_link_stats*>(at->ifa_data)->rx_missed_errors;
        break;
      default:
        break;
    }
  }
  freeifaddrs(list);
}

}  // namespace

absl::StatusOr<LinkFacts> LookAtLink(const std::string& interface) {
  auto found = FindInterface(interface);
  if (!found.ok()) return found.status();
  Ethtool ethtool(interface);
  LinkFacts link;
  link.name = interface;
  if (ethtool.Plain(SIOCGIFFLAGS)) {
    const auto flags = static_cast<unsigned>(ethtool.request().ifr_flags);
    link.up = (flags & IFF_UP) != 0;
    link.carrier = (flags & IFF_RUNNING) != 0;
  }
  if (ethtool.Plain(SIOCGIFMTU)) link.mtu = static_cast<uint32_t>(ethtool.request().ifr_mtu);
  link.speed_mbits = SpeedOf(ethtool);
  AddAddresses(link);
  link.channels = ChannelsOf(ethtool);
  link.rings = RingsOf(ethtool);
  link.hash = ReadReceiveHash(interface);
  link.offloads = Offloads(ethtool);
  link.program = FindAttachedXdp(found->index);
  link.hardware_stamps = StampsInHardware(ethtool);
  return link;
}

}  // namespace weir::doctor

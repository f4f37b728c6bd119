#include "rings/packet_socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "absl/strings/str_format.h"

namespace weir {
namespace {

absl::Status SetOption(int fd, int option, const void* value, socklen_t bytes, const char* what) {
  if (setsockopt(fd, SOL_PACKET, option, value, bytes) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, what);
}

}  // namespace

absl::StatusOr<UniqueFd> OpenPacketSocket(bool cooked) {
  // Protocol 0: receives nothing before it is bound.
  UniqueFd fd(socket(AF_PACKET, (cooked ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC, 0));
  if (fd) return fd;
  if (errno == EPERM || errno == EACCES) {
    return absl::PermissionDeniedError(
        "cannot open a packet socket: needs CAP_NET_RAW (sudo, or once: setcap cap_net_raw+ep "
        "weir)");
  }
  return absl::ErrnoToStatus(errno, "cannot open a packet socket");
}

absl::Status UseBlocks(int fd) {
  const int version = TPACKET_V3;
  return SetOption(fd, PACKET_VERSION, &version, sizeof version,
                   "the kernel has no TPACKET_V3: needs Linux 5.15");
}

absl::Status JoinPromiscuous(int fd, int interface_index) {
  packet_mreq membership{};
  membership.mr_ifindex = interface_index;
  membership.mr_type = PACKET_MR_PROMISC;
  return SetOption(fd, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership,
                   "promiscuous mode refused");
}

absl::Status IgnoreOutgoing(int fd) {
  const int yes = 1;
  return SetOption(fd, PACKET_IGNORE_OUTGOING, &yes, sizeof yes,
                   "the kernel cannot leave out frames that this host sends (--direction in)");
}

absl::Status UseHardwareTimestamps(int fd, const std::string& interface) {
  hwtstamp_config config{};
  ifreq request{};
  std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&config);
  // What is sent goes on being stamped where it was: ptp4l needs it. A driver that cannot be asked
  // leaves `config` at zero, off.
  const bool asked = ioctl(fd, SIOCGHWTSTAMP, &request) == 0;
  if (!asked || config.rx_filter != HWTSTAMP_FILTER_ALL) {
    config.flags = 0;
    config.rx_filter = HWTSTAMP_FILTER_ALL;
    if (ioctl(fd, SIOCSHWTSTAMP, &request) != 0) {
      return absl::ErrnoToStatus(errno, "the device gives no hardware time stamps");
    }
  }
  const int source = SOF_TIMESTAMPING_RAW_HARDWARE;
  return SetOption(fd, PACKET_TIMESTAMP, &source, sizeof source, "no hardware time stamps");
}

absl::Status BindPacketSocket(int fd, const NetworkInterface& interface) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = interface.index;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, absl::StrFormat("cannot listen on %s", interface.name));
}

}  // namespace weir

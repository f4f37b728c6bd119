#include "tools/load/stamp/interface_clock.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"

namespace weir::load {
namespace {

// False: errno says why.
bool Request(int fd, const std::string& interface, unsigned long code, void* data) {
  ifreq request{};
  std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  request.ifr_data = static_cast<char*>(data);
  return ioctl(fd, code, &request) == 0;
}

UniqueFd AnySocket() { return UniqueFd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }

}  // namespace

absl::StatusOr<InterfaceClock> AskClock(const std::string& interface) {
  const UniqueFd fd = AnySocket();
  ethtool_ts_info info{};
  info.cmd = ETHTOOL_GET_TS_INFO;
  if (!Request(fd.get(), interface, SIOCETHTOOL, &info)) {
    return absl::ErrnoToStatus(
        errno,
        absl::StrFormat("%s does not tell its time stamps (ethtool -T %s)", interface, interface));
  }
  const auto can = [&](uint32_t flags) { return (info.so_timestamping & flags) == flags; };
  return InterfaceClock{
      .interface = interface,
      .hardware_clock = info.phc_index,
      .hardware_sent = can(SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE) &&
                       (info.tx_types & 1u << HWTSTAMP_TX_ON) != 0,
      .hardware_received = can(SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE) &&
                           (info.rx_filters & 1u << HWTSTAMP_FILTER_ALL) != 0,
      .kernel_sent = can(SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE)};
}

std::string WhyNotHardware(const InterfaceClock& sender, const InterfaceClock& listener,
                           bool clocks_agree) {
  for (const InterfaceClock& port : {sender, listener}) {
    if (port.hardware_clock < 0)
      return absl::StrFormat("%s has no hardware clock (ethtool -T %s): --timestamps kernel",
                             port.interface, port.interface);
  }
  if (!sender.hardware_sent) {
    return absl::StrFormat(
        "%s has a hardware clock, but does not stamp what it sends (ethtool -T %s): "
        "--timestamps kernel",
        sender.interface, sender.interface);
  }
  if (!listener.hardware_received) {
    return absl::StrFormat(
        "%s has a hardware clock, but does not stamp all that it receives (ethtool -T %s names no "
        "filter \"all\"): listen on another card, or --timestamps kernel",
        listener.interface, listener.interface);
  }
  if (sender.hardware_clock != listener.hardware_clock && !clocks_agree) {
    return absl::StrFormat(
        "%s stamps by /dev/ptp%d, %s by /dev/ptp%d: two clocks. Take two ports of one clock, or "
        "keep them equal (phc2sys -s %s -c %s -O 0) and say --clocks-agree",
        sender.interface, sender.hardware_clock, listener.interface, listener.hardware_clock,
        sender.interface, listener.interface);
  }
  return "";
}

std::string WhyNotKernel(const InterfaceClock& sender) {
  if (sender.kernel_sent) return "";
  return absl::StrFormat(
      "the driver of %s does not stamp what it sends (ethtool -T %s): --timestamps process",
      sender.interface, sender.interface);
}

absl::StatusOr<HardwareStamping> HardwareStamping::SwitchOn(const std::string& interface) {
  UniqueFd fd = AnySocket();
  hwtstamp_config before{};
  // A driver that cannot tell is put back to the default: off.
  if (!Request(fd.get(), interface, SIOCGHWTSTAMP, &before)) before = {};
  hwtstamp_config all{};
  all.tx_type = HWTSTAMP_TX_ON;
  all.rx_filter = HWTSTAMP_FILTER_ALL;
  if (!Request(fd.get(), interface, SIOCSHWTSTAMP, &all)) {
    const int error = errno;
    if (error == EPERM || error == EACCES) {
      return absl::PermissionDeniedError(absl::StrFormat(
          "%s: switching hardware time stamps on needs CAP_NET_ADMIN (sudo)", interface));
    }
    return absl::ErrnoToStatus(
        error, absl::StrFormat("%s does not switch hardware time stamps on: --timestamps kernel",
                               interface));
  }
  return HardwareStamping(interface, std::move(fd), before);
}

HardwareStamping::~HardwareStamping() {
  if (fd_) Request(fd_.get(), interface_, SIOCSHWTSTAMP, &before_);
}

}  // namespace weir::load

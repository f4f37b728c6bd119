// Which clocks an interface stamps frames with, and how its hardware's is switched on: SIOCETHTOOL
// with ETHTOOL_GET_TS_INFO (as `ethtool -T` asks), SIOCGHWTSTAMP and SIOCSHWTSTAMP of the kernel's
// networking/timestamping.rst.
//
// Cold path. Asking needs no privilege and changes nothing. The network namespace is the calling
// thread's.
#pragma once

#include <linux/net_tstamp.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/unique_fd.h"

namespace weir::load {

struct InterfaceClock {
  std::string interface;
  int hardware_clock = -1;         // /dev/ptpN; -1: none
  bool hardware_sent = false;      // any frame that leaves can be stamped by the hardware
  bool hardware_received = false;  // any frame that comes in; some cards stamp only PTP's
  bool kernel_sent = false;        // the driver stamps frames that leave in software
};

absl::StatusOr<InterfaceClock> AskClock(const std::string& interface);

// Why the delay from one to the other cannot be taken by that clock, and what to do; empty: it can.
// `clocks_agree`: somebody keeps two hardware clocks equal (phc2sys).
std::string WhyNotHardware(const InterfaceClock& sender, const InterfaceClock& listener,
                           bool clocks_agree);
std::string WhyNotKernel(const InterfaceClock& sender);

// The hardware stamps all frames as long as this lives; then it does what it did before. Needs
// CAP_NET_ADMIN.
class HardwareStamping {
 public:
  static absl::StatusOr<HardwareStamping> SwitchOn(const std::string& interface);
  HardwareStamping(HardwareStamping&& other) noexcept = default;
  ~HardwareStamping();

 private:
  HardwareStamping(const std::string& interface, UniqueFd fd, const hwtstamp_config& before)
      : interface_(interface), fd_(std::move(fd)), before_(before) {}

  std::string interface_;
  UniqueFd fd_;
  hwtstamp_config before_;
};

}  // namespace weir::load

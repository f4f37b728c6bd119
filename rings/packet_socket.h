// The steps that make a packet socket ready for a ring: packet(7). Each does one thing and says
// what went wrong and what to do about it. Cold path.
//
// Order: OpenPacketSocket (receives nothing yet), options, a filter that refuses everything, ring,
// BindPacketSocket, fanout group, and the real filter last, so that no frame comes in that the
// options, the group and the filter have not seen.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/network_interface.h"
#include "rings/unique_fd.h"

namespace weir {

absl::StatusOr<UniqueFd> OpenPacketSocket(bool cooked);

absl::Status UseBlocks(int fd);  // TPACKET_V3

// Takes frames to other hosts too, as long as the socket is open.
absl::Status JoinPromiscuous(int fd, int interface_index);

// Frames that this host sends are not looped back to the socket (Linux 4.20).
absl::Status IgnoreOutgoing(int fd);

// Asks the device itself first: the socket option alone succeeds on devices that cannot.
absl::Status UseHardwareTimestamps(int fd, const std::string& interface);

absl::Status BindPacketSocket(int fd, const NetworkInterface& interface);

}  // namespace weir

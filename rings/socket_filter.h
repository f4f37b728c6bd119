// Classic BPF programs for a packet socket: what it takes, and how much of each frame.
//
// The program's return value is the number of bytes to keep, so it carries the snap length too:
// packet(7), SO_ATTACH_FILTER of socket(7), <linux/filter.h>. Cold path.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/network_interface.h"

namespace weir {

enum class CaptureDirection : uint8_t { kBoth, kIn, kOut };

// Compiles tcpdump's language (pcap-filter(7)) for the kernel; empty: everything. Frames are judged
// as they stood on the wire, a VLAN tag that the kernel takes out of the bytes included, so that an
// expression says the same of them here and in a capture file. InvalidArgument: libpcap's words.
// Unimplemented: no program of the kernel's can say it (wire_program.h).
absl::StatusOr<std::vector<sock_filter>> CompileSocketFilter(const std::string& expression,
                                                             uint16_t link_type,
                                                             uint32_t snap_length);

// The same program, refusing frames that this host did not send.
std::vector<sock_filter> OnlyOutgoing(const std::vector<sock_filter>& program);

// Replaces the program that the socket has.
absl::Status AttachSocketFilter(int fd, const std::vector<sock_filter>& program);

// The socket takes no frame from now on.
absl::Status RefuseAll(int fd);

}  // namespace weir

// Gives up what a run does not need once its sockets, programs and files are open: capabilities
// (capabilities(7), by libcap-ng), the user (setuid(2)), new privileges (PR_SET_NO_NEW_PRIVS), and
// system calls (seccomp(2), by libseccomp). None of it comes back.
//
// Capabilities belong to a thread and are inherited by those it starts: call this on the only
// thread there is. Cold path.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace weir {

struct PrivilegeOptions {
  // Packet sockets can still be opened: an interface that vanished and came back needs that.
  bool keeps_net_raw = false;
  // CAP_BPF, where it is needed to read a program's counters: before Linux 5.19.
  bool keeps_bpf = false;
  // From here on this user, and the user's group. Empty: stays who it is.
  std::string user;
  // Only the system calls of a run, see call_filter.h: others fail with EPERM and are told of.
  bool filters_system_calls = true;
};

absl::Status GiveUpPrivileges(const PrivilegeOptions& options);

// True where the kernel asks for CAP_BPF when a map is read (kernel.unprivileged_bpf_disabled,
// before Linux 5.19).
bool ReadingMapsNeedsBpf();

// Whether `folder`, or the nearest one above it that is there, is somebody else's into which this
// process cannot write. OK, or who it belongs to and what to do.
absl::Status CheckFolder(const std::string& folder, const std::string& option);

}  // namespace weir

// The filter of system calls: seccomp(2), by libseccomp.
#pragma once

#include "absl/status/status.h"

namespace weir {

struct CallFilterOptions {
  bool packet_sockets = false;  // AF_PACKET can still be opened
};

// From now on this thread, and those that it starts, make the calls of system_calls.h only; others
// fail with EPERM and are told of (refused_calls.h). Needs CAP_SYS_ADMIN or no new privileges.
absl::Status FilterSystemCalls(const CallFilterOptions& options);

}  // namespace weir

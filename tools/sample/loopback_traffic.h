// Real traffic over the loopback interface, a little of it: what `tools/quickstart` watches on
// `lo`.
#pragma once

#include "absl/status/status.h"

namespace weir::sample {

// For `seconds`: datagrams that are answered, and TCP connections that fetch some kilobytes,
// between ports of 127.0.0.1 that the kernel chooses. Nothing leaves the machine. Thread: any,
// blocks.
absl::Status SendLoopbackTraffic(int seconds);

}  // namespace weir::sample

// The eBPF program that steers frames within a fanout group: bpf/steer.bpf.c. Cold path.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "rings/unique_fd.h"

namespace weir {

struct SteerOptions {
  uint64_t seed = 0;     // of the hash over the address pair
  bool ethernet = true;  // frames have an Ethernet header
};

// Loads the program into the kernel; it lives as long as the descriptor, or the group that has it.
// Needs CAP_BPF. Prints nothing.
absl::StatusOr<UniqueFd> LoadSteerProgram(const SteerOptions& options);

}  // namespace weir

// Keeps an XDP program in the kernel's dispatcher (kernel/bpf/dispatcher.c): BPF_PROG_TEST_RUN puts
// a program there and takes it out again, each with a wait for all processors (some 20 ms a call),
// unless it stands there because an interface has it. This one is attached to the loopback of a
// network namespace of its own, in which nothing ever happens.
#pragma once

#include "absl/status/statusor.h"
#include "rings/unique_fd.h"

namespace weir::load {

class ProgramHold {
 public:
  // Needs CAP_SYS_ADMIN, for the namespace.
  static absl::StatusOr<ProgramHold> Create(int program_fd);
  ProgramHold() = default;

 private:
  UniqueFd name_space_;
  UniqueFd link_;
};

}  // namespace weir::load

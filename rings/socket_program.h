// The eBPF program of a packet socket: FilterRules, counted by reason. bpf/socket_filter.bpf.c.
//
// Thread: any one at a time; Counts any number.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/filter_reason.h"

struct socket_filter;

namespace weir {

struct SocketProgramOptions {
  uint32_t snap_length = 262144;  // bytes kept of an accepted frame
  bool ethernet = true;           // false: frames start with an IP header
  bool only_outgoing = false;     // refuses, uncounted, what this host did not send
  // What passes the rules must pass this, too: see expression_program.h. Empty: there is none.
  std::vector<sock_filter> expression;
};

class SocketProgram {
 public:
  // Loads the program into the kernel; it accepts everything. Needs CAP_BPF. Prints nothing.
  static absl::StatusOr<SocketProgram> Load(const SocketProgramOptions& options);

  // For SO_ATTACH_BPF, any number of times.
  int fd() const;
  int rules_map() const;  // for KernelRules
  absl::StatusOr<FilterCounts> Counts() const;

 private:
  absl::Status Add(const std::vector<sock_filter>& expression);
  struct Destroy {
    void operator()(socket_filter* program) const;
  };
  explicit SocketProgram(socket_filter* program) : program_(program) {}
  std::unique_ptr<socket_filter, Destroy> program_;
};

}  // namespace weir

#include "rings/socket_program.h"

#include <cerrno>

#include "bpf/socket_filter.h"
#include "rings/kernel_rules.h"
#include "rings/silent_libbpf.h"
#include "socket_filter.skel.h"

namespace weir {
namespace {

absl::Status CannotLoad(int error) {
  if (error == EPERM || error == EACCES) {
    return absl::PermissionDeniedError(
        "cannot load the socket's filter program: needs CAP_BPF (sudo, or once: setcap "
        "cap_net_raw,cap_bpf+ep weir)");
  }
  return absl::ErrnoToStatus(error, "cannot load the socket's filter program");
}

}  // namespace

void SocketProgram::Destroy::operator()(socket_filter* program) const {
  socket_filter__destroy(program);
}

absl::StatusOr<SocketProgram> SocketProgram::Load(const SocketProgramOptions& options) {
  const SilentLibbpf silent;
  SocketProgram program(socket_filter__open());
  if (program.program_ == nullptr) return CannotLoad(errno);
  weir_socket_config& config = program.program_->rodata->config;
  config.snap_length = options.snap_length;
  config.ethernet = options.ethernet;
  config.only_outgoing = options.only_outgoing;
  if (const int error = socket_filter__load(program.program_.get()); error != 0) {
    return CannotLoad(-error);
  }
  return program;
}

int SocketProgram::fd() const { return bpf_program__fd(program_->progs.socket_filter); }

absl::Status SocketProgram::Use(const UniqueFd& rule_set) {
  return UseRuleSet(bpf_map__fd(program_->maps.weir_rules), rule_set.get());
}

absl::StatusOr<FilterCounts> SocketProgram::Counts() const {
  return ReadFilterCounts(bpf_map__fd(program_->maps.weir_filter_counts));
}

}  // namespace weir

#include "rings/socket_program.h"

#include <bpf/bpf.h>

#include <cerrno>

#include "bpf/rule_set.h"
#include "bpf/socket_filter.h"
#include "rings/expression_program.h"
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
  if (options.expression.empty()) return program;
  if (auto status = program.Add(options.expression); !status.ok()) return status;
  return program;
}

absl::Status SocketProgram::Add(const std::vector<sock_filter>& expression) {
  const auto added = LoadExpressionProgram(
      expression, bpf_map__fd(program_->maps.weir_filter_counts), WEIR_NOT_EXPRESSION);
  if (!added.ok()) return added.status();
  const uint32_t first = 0;
  const int fd = added->get();
  if (bpf_map_update_elem(bpf_map__fd(program_->maps.expression), &first, &fd, BPF_ANY) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, "cannot put the expression behind the rules");
}

int SocketProgram::fd() const { return bpf_program__fd(program_->progs.socket_filter); }

int SocketProgram::rules_map() const { return bpf_map__fd(program_->maps.weir_rules); }

absl::StatusOr<FilterCounts> SocketProgram::Counts() const {
  return ReadFilterCounts(bpf_map__fd(program_->maps.weir_filter_counts));
}

}  // namespace weir

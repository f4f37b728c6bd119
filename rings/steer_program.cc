#include "rings/steer_program.h"

#include <fcntl.h>

#include <cerrno>
#include <memory>

#include "bpf/steer.h"
#include "rings/silent_libbpf.h"
#include "steer.skel.h"

namespace weir {
namespace {

struct DestroySkeleton {
  void operator()(steer* program) const { steer__destroy(program); }
};
using Skeleton = std::unique_ptr<steer, DestroySkeleton>;

absl::Status CannotLoad(int error) {
  if (error == EPERM || error == EACCES) {
    return absl::PermissionDeniedError(
        "cannot load the steering program: needs CAP_BPF (sudo, or once: setcap "
        "cap_net_raw,cap_bpf+ep weir)");
  }
  return absl::ErrnoToStatus(error, "cannot load the steering program: needs Linux 5.15 with BPF");
}

}  // namespace

absl::StatusOr<UniqueFd> LoadSteerProgram(const SteerOptions& options) {
  const SilentLibbpf silent;
  const Skeleton skeleton(steer__open());
  if (skeleton == nullptr) return CannotLoad(errno);
  skeleton->rodata->config.seed = options.seed;
  skeleton->rodata->config.ethernet = options.ethernet;
  if (const int error = steer__load(skeleton.get()); error != 0) return CannotLoad(-error);
  // The skeleton closes its own descriptor.
  UniqueFd program(fcntl(bpf_program__fd(skeleton->progs.steer), F_DUPFD_CLOEXEC, 0));
  if (!program) return absl::ErrnoToStatus(errno, "cannot keep the steering program");
  return program;
}

}  // namespace weir

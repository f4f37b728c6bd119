#include "tools/load/send/program_hold.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <sched.h>

#include <cerrno>
#include <thread>

#include "absl/status/status.h"

namespace weir::load {

absl::StatusOr<ProgramHold> ProgramHold::Create(int program_fd) {
  constexpr int kLoopback = 1;  // in each namespace
  ProgramHold hold;
  int error = 0;
  // A thread of its own, for the namespace is the thread's.
  std::thread([&] {
    if (unshare(CLONE_NEWNET) != 0) {
      error = errno;
      return;
    }
    hold.name_space_ = UniqueFd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    bpf_link_create_opts options{};
    options.sz = sizeof options;
    options.flags = XDP_FLAGS_SKB_MODE;
    const int link = bpf_link_create(program_fd, kLoopback, BPF_XDP, &options);
    if (link < 0) error = -link;
    hold.link_ = UniqueFd(link);
  }).join();
  if (error == 0 && hold.name_space_) return hold;
  return absl::ErrnoToStatus(
      error, "no network namespace to keep the BPF program in (needs CAP_SYS_ADMIN)");
}

}  // namespace weir::load

#include "tests/support/tc_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "tc_programs.skel.h"

namespace weir::test {
namespace {

const bpf_program* ProgramOf(const tc_programs& programs, TcAction action) {
  switch (action) {
    case TcAction::kDrop:
      return programs.progs.drop_all;
    case TcAction::kRewriteSource:
      return programs.progs.rewrite_source;
    case TcAction::kSteerQueue:
      break;
  }
  return programs.progs.steer_queue;
}

}  // namespace

TcProgram::~TcProgram() { tc_programs__destroy(programs_); }

// The hook goes with the interface, and holds the program as long as that is there.
absl::StatusOr<std::unique_ptr<TcProgram>> TcProgram::Attach(const NetNamespace& where,
                                                             const char* interface, TcHook hook,
                                                             TcAction action, uint32_t queues) {
  auto program = std::unique_ptr<TcProgram>(new TcProgram);
  program->programs_ = tc_programs__open();
  if (program->programs_ == nullptr) return absl::ErrnoToStatus(errno, "cannot open tc programs");
  program->programs_->rodata->queue_count = queues;
  if (tc_programs__load(program->programs_) != 0) {
    return absl::ErrnoToStatus(errno, "cannot load tc programs (needs CAP_BPF, CAP_NET_ADMIN)");
  }
  const auto scope = where.Enter();
  LIBBPF_OPTS(bpf_tc_hook, at);
  at.ifindex = static_cast<int>(if_nametoindex(interface));
  at.attach_point = hook == TcHook::kIngress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
  int result = bpf_tc_hook_create(&at);
  if (result != 0 && result != -EEXIST) {
    return absl::ErrnoToStatus(-result, absl::StrCat("no tc hook at ", interface));
  }
  LIBBPF_OPTS(bpf_tc_opts, options);
  options.prog_fd = bpf_program__fd(ProgramOf(*program->programs_, action));
  result = bpf_tc_attach(&at, &options);
  if (result != 0) return absl::ErrnoToStatus(-result, "cannot attach a tc program");
  return program;
}

}  // namespace weir::test

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
    case TcAction::kSteerBySource:
      return programs.progs.steer_by_source;
    case TcAction::kSteerQueue:
      break;
  }
  return programs.progs.steer_queue;
}

bpf_tc_hook HookAt(int interface, TcHook hook) {
  LIBBPF_OPTS(bpf_tc_hook, at);
  at.ifindex = interface;
  at.attach_point = hook == TcHook::kIngress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
  return at;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TcProgram>> TcProgram::Attach(const NetNamespace& where,
                                                             const char* interface, TcHook hook,
                                                             TcAction action, uint32_t queues) {
  auto program = std::unique_ptr<TcProgram>(new TcProgram(where, hook));
  if (auto status = program->Start(interface, action, queues); !status.ok()) return status;
  return program;
}

TcProgram::~TcProgram() {
  if (interface_ != 0) {
    const auto scope = where_.Enter();
    const bpf_tc_hook at = HookAt(interface_, hook_);
    LIBBPF_OPTS(bpf_tc_opts, options);
    options.handle = handle_;
    options.priority = priority_;
    bpf_tc_detach(&at, &options);
  }
  tc_programs__destroy(programs_);
}

absl::Status TcProgram::Start(const char* interface, TcAction action, uint32_t queues) {
  programs_ = tc_programs__open();
  if (programs_ == nullptr) return absl::ErrnoToStatus(errno, "cannot open tc programs");
  programs_->rodata->queue_count = queues;
  if (tc_programs__load(programs_) != 0) {
    return absl::ErrnoToStatus(errno, "cannot load tc programs (needs CAP_BPF, CAP_NET_ADMIN)");
  }
  const auto scope = where_.Enter();
  const auto index = static_cast<int>(if_nametoindex(interface));
  bpf_tc_hook at = HookAt(index, hook_);
  int result = bpf_tc_hook_create(&at);
  if (result != 0 && result != -EEXIST) {
    return absl::ErrnoToStatus(-result, absl::StrCat("no tc hook at ", interface));
  }
  LIBBPF_OPTS(bpf_tc_opts, options);
  options.prog_fd = bpf_program__fd(ProgramOf(*programs_, action));
  result = bpf_tc_attach(&at, &options);
  if (result != 0) return absl::ErrnoToStatus(-result, "cannot attach a tc program");
  interface_ = index;
  handle_ = options.handle;
  priority_ = options.priority;
  return absl::OkStatus();
}

}  // namespace weir::test

#include "tools/privileges/call_filter.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <sched.h>
#include <cerrno>
#include <memory>

#include "absl/strings/str_cat.h"
#include "tools/privileges/refused_calls.h"
#include "tools/privileges/system_calls.h"

namespace weir {
namespace {

struct Release {
  void operator()(void* filter) const { seccomp_release(filter); }
};

class CallFilter {
 public:
  explicit CallFilter(uint32_t otherwise) : filter_(seccomp_init(otherwise)) {}

  // False from the first one on that cannot be added.
  bool ok() const { return ok_ && filter_ != nullptr; }

  void Allow(const char* name) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call != __NR_SCMP_ERROR) Add(call, 0, {});  // else newer than the library
  }
  // Where argument `which`, of which `mask` is looked at, has this value.
  void AllowIf(int call, unsigned which, uint64_t mask, uint64_t value) {
    Add(call, 1, {which, SCMP_CMP_MASKED_EQ, mask, value});
  }
  void Answer(int call, int error) {
    ok_ = ok_ && seccomp_rule_add(filter_.get(), SCMP_ACT_ERRNO(static_cast<uint32_t>(error)), call,
                                  0) == 0;
  }
  int Load() { return -seccomp_load(filter_.get()); }

 private:
  void Add(int call, unsigned count, scmp_arg_cmp comparison) {
    ok_ = ok_ && seccomp_rule_add_array(filter_.get(), SCMP_ACT_ALLOW, call, count,
                                        count > 0 ? &comparison : nullptr) == 0;
  }

  const std::unique_ptr<void, Release> filter_;
  bool ok_ = true;
};

constexpr uint64_t kInt = 0xffffffff;  // the kernel looks at so much of an int

void AllowByArguments(const CallFilterOptions& options, CallFilter& filter) {
  for (const int family : AllowedFamilies()) {
    filter.AllowIf(SCMP_SYS(socket), 0, kInt, static_cast<uint64_t>(family));
  }
  if (options.packet_sockets) filter.AllowIf(SCMP_SYS(socket), 0, kInt, AF_PACKET);
  for (const unsigned long request : AllowedRequests()) {
    filter.AllowIf(SCMP_SYS(ioctl), 1, kInt, request);
  }
  for (const int command : AllowedBpfCommands()) {
    filter.AllowIf(SCMP_SYS(bpf), 0, kInt, static_cast<uint64_t>(command));
  }
  // No memory becomes code.
  filter.AllowIf(SCMP_SYS(mmap), 2, PROT_EXEC, 0);
  filter.AllowIf(SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
  // Threads, no processes. clone3's flags lie in memory, where no filter looks: the C library takes
  // clone where there is no clone3.
  filter.AllowIf(SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD);
  filter.Answer(SCMP_SYS(clone3), ENOSYS);
}

}  // namespace

absl::Status FilterSystemCalls(const CallFilterOptions& options) {
  CallFilter filter(TellOfRefusedCalls() ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EPERM));
  if (filter.ok()) {
    for (const char* const name : AllowedSystemCalls()) filter.Allow(name);
    AllowByArguments(options, filter);
  }
  if (!filter.ok()) return absl::InternalError("cannot make a filter of system calls");
  const int error = filter.Load();
  if (error == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(error, "cannot filter system calls (--no-seccomp runs without)");
}

}  // namespace weir

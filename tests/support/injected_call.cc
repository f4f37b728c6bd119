#include "tests/support/injected_call.h"

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

namespace weir::test {

#ifdef __x86_64__

// The thread waits in a system call: behind its instruction, two bytes long (0f 05). It is done
// again with other registers, and then the first one once more.
std::optional<int64_t> InjectCall(pid_t thread, long number, std::array<uint64_t, 3> arguments) {
  constexpr long kSyscall = 0x050f;
  if (ptrace(PTRACE_ATTACH, thread, nullptr, nullptr) != 0) return std::nullopt;
  int status = 0;
  waitpid(thread, &status, __WALL);
  user_regs_struct before{};
  ptrace(PTRACE_GETREGS, thread, nullptr, &before);
  std::optional<int64_t> result;
  const long code = ptrace(PTRACE_PEEKTEXT, thread, before.rip - 2, nullptr);
  if ((code & 0xffff) == kSyscall) {
    user_regs_struct call = before;
    call.rip -= 2;
    call.orig_rax = ~0ull;  // not to be restarted
    call.rax = static_cast<unsigned long long>(number);
    call.rdi = arguments[0];
    call.rsi = arguments[1];
    call.rdx = arguments[2];
    ptrace(PTRACE_SETREGS, thread, nullptr, &call);
    ptrace(PTRACE_SINGLESTEP, thread, nullptr, nullptr);
    waitpid(thread, &status, __WALL);
    user_regs_struct after{};
    ptrace(PTRACE_GETREGS, thread, nullptr, &after);
    result = static_cast<int64_t>(after.rax);
    // A call that was interrupted goes on where it was.
    ptrace(PTRACE_SETREGS, thread, nullptr, &before);
  }
  ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
  return result;
}

#else

std::optional<int64_t> InjectCall(pid_t, long, std::array<uint64_t, 3>) { return std::nullopt; }

#endif

}  // namespace weir::test

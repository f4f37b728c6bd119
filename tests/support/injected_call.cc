#include "tests/support/injected_call.h"

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace weir::test {

#ifdef __x86_64__

namespace {

// To the instruction behind the call. A call that a filter traps is answered by the handler of
// SIGSYS, which runs before.
bool StepUntil(pid_t thread, const user_regs_struct& behind) {
  constexpr int kMostSteps = 1'000'000;
  uintptr_t signal = 0;
  for (int i = 0; i < kMostSteps; ++i) {
    ptrace(PTRACE_SINGLESTEP, thread, nullptr, signal);
    int status = 0;
    if (waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status)) return false;
    signal = WSTOPSIG(status) == SIGTRAP ? 0 : static_cast<uintptr_t>(WSTOPSIG(status));
    user_regs_struct now{};
    ptrace(PTRACE_GETREGS, thread, nullptr, &now);
    if (signal == 0 && now.rip == behind.rip && now.rsp == behind.rsp) return true;
  }
  return false;
}

}  // namespace

// A thread that waits is in a system call: behind its instruction, two bytes long (0f 05). It is
// done again with other registers, and then the first one once more. One that runs just now, as
// after a refused call it reports, is let go until it waits again.
std::optional<int64_t> InjectCall(pid_t thread, long number, std::array<uint64_t, 3> arguments) {
  constexpr long kSyscall = 0x050f;
  user_regs_struct before{};
  const auto attach = [&] {
    if (ptrace(PTRACE_ATTACH, thread, nullptr, nullptr) != 0) return false;
    int status = 0;
    waitpid(thread, &status, __WALL);
    ptrace(PTRACE_GETREGS, thread, nullptr, &before);
    const long code = ptrace(PTRACE_PEEKTEXT, thread, before.rip - 2, nullptr);
    if ((code & 0xffff) == kSyscall) return true;
    ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
    return false;
  };
  const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!attach()) {
    if (std::chrono::steady_clock::now() > latest) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  user_regs_struct call = before;
  call.rip -= 2;
  call.orig_rax = ~0ull;  // not to be restarted
  call.rax = static_cast<unsigned long long>(number);
  call.rdi = arguments[0];
  call.rsi = arguments[1];
  call.rdx = arguments[2];
  ptrace(PTRACE_SETREGS, thread, nullptr, &call);
  if (!StepUntil(thread, before)) return std::nullopt;
  user_regs_struct after{};
  ptrace(PTRACE_GETREGS, thread, nullptr, &after);
  // A call that was interrupted goes on where it was.
  ptrace(PTRACE_SETREGS, thread, nullptr, &before);
  ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
  return static_cast<int64_t>(after.rax);
}

#else

std::optional<int64_t> InjectCall(pid_t, long, std::array<uint64_t, 3>) { return std::nullopt; }

#endif

}  // namespace weir::test

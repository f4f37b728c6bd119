#include "tools/privileges/refused_calls.h"

#include <seccomp.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace weir {
namespace {

#if defined(__x86_64__) || defined(__aarch64__)

// What the handler needs is made before: it may only write(2). signal-safety(7).
constexpr size_t kCalls = 512;
constexpr size_t kNameBytes = 32;
std::array<std::array<char, kNameBytes>, kCalls> names;
volatile std::sig_atomic_t told[kCalls];

void FindNames() {
  for (size_t i = 0; i < kCalls; ++i) {
    char* const name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(i));
    if (name == nullptr) continue;
    strncpy(names[i].data(), name, kNameBytes - 1);
    free(name);
  }
}

// The registers of the thread at its call: syscall(2).
struct Call {
  uint64_t arguments[3];
  void Return(int64_t value) const { *result = static_cast<Register>(value); }

#ifdef __x86_64__
  using Register = greg_t;
  explicit Call(ucontext_t& context)
      : arguments{At(context, REG_RDI), At(context, REG_RSI), At(context, REG_RDX)},
        result(&context.uc_mcontext.gregs[REG_RAX]) {}
  static uint64_t At(const ucontext_t& context, int which) {
    return static_cast<uint64_t>(context.uc_mcontext.gregs[which]);
  }
#else
  using Register = unsigned long long;
  explicit Call(ucontext_t& context)
      : arguments{context.uc_mcontext.regs[0], context.uc_mcontext.regs[1],
                  context.uc_mcontext.regs[2]},
        result(&context.uc_mcontext.regs[0]) {}
#endif
  Register* result;
};

// A line in memory of its own.
class Line {
 public:
  void Add(std::string_view text) {
    const size_t bytes = std::min(text.size(), sizeof text_ - size_);
    std::memcpy(text_ + size_, text.data(), bytes);
    size_ += bytes;
  }
  void AddHex(uint64_t value) {
    char digits[16];
    size_t first = sizeof digits;
    do {
      digits[--first] = "0123456789abcdef"[value & 15];
      value >>= 4;
    } while (value != 0);
    Add("0x");
    Add({digits + first, sizeof digits - first});
  }
  void Write() const {
    if (write(STDERR_FILENO, text_, size_) < 0) return;  // nobody to tell
  }

 private:
  char text_[400];
  size_t size_ = 0;
};

void Tell(size_t number, const Call& call) {
  Line line;
  line.Add("weir: the system call ");
  line.Add(names[number][0] != 0 ? names[number].data() : "of a number without a name");
  line.Add("(");
  for (size_t i = 0; i < 3; ++i) {
    line.AddHex(call.arguments[i]);
    line.Add(i < 2 ? ", " : ", ...)");
  }
  line.Add(
      " was refused (EPERM): no run of weir needs it. If yours does, --no-seccomp lets it, and "
      "please report it\n");
  line.Write();
}

void OnRefused(int, siginfo_t* info, void* context) {
  const int error = errno;
  const Call call(*static_cast<ucontext_t*>(context));
  const size_t number = std::min(static_cast<size_t>(info->si_syscall), kCalls - 1);
  if (told[number] == 0) {
    told[number] = 1;
    Tell(number, call);
  }
  call.Return(-EPERM);
  errno = error;
}

#endif

}  // namespace

bool TellOfRefusedCalls() {
#if defined(__x86_64__) || defined(__aarch64__)
  FindNames();
  struct sigaction action = {};
  action.sa_sigaction = OnRefused;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  if (sigaction(SIGSYS, &action, nullptr) != 0) return false;
  sigset_t refused;
  sigemptyset(&refused);
  sigaddset(&refused, SIGSYS);
  return pthread_sigmask(SIG_UNBLOCK, &refused, nullptr) == 0;
#else
  return false;
#endif
}

}  // namespace weir

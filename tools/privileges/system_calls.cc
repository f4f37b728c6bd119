#include "tools/privileges/system_calls.h"

#include <linux/bpf.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace weir {
namespace {

constexpr const char* kCalls[] = {
    // Memory.
    "brk",
    "madvise",
    "mbind",
    "mlock",
    "mremap",
    "munlock",
    "munmap",
    "get_mempolicy",
    "set_mempolicy",
    // Threads, and what the C library does when one begins or ends.
    "arch_prctl",
    "exit",
    "exit_group",
    "futex",
    "futex_waitv",
    "get_robust_list",
    "getcpu",
    "getpid",
    "getppid",
    "gettid",
    "membarrier",
    "prctl",
    "prlimit64",
    "rseq",
    "sched_getaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_setaffinity",
    "sched_yield",
    "set_robust_list",
    "set_tid_address",
    "setpriority",
    "getpriority",
    "getrusage",
    "wait4",
    // Signals.
    "kill",
    "pause",
    "restart_syscall",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "sigaltstack",
    "signalfd4",
    "tgkill",
    // Clocks and waiting.
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "gettimeofday",
    "nanosleep",
    "time",
    "timerfd_create",
    "timerfd_gettime",
    "timerfd_settime",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "eventfd2",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "poll",
    "ppoll",
    "pselect6",
    "select",
    // Files: outputs, rotation, what is read from /proc and /sys.
    "access",
    "chdir",
    "chmod",
    "close",
    "close_range",
    "copy_file_range",
    "dup",
    "dup2",
    "dup3",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fallocate",
    "fchmod",
    "fcntl",
    "fdatasync",
    "flock",
    "fstat",
    "fstatfs",
    "fsync",
    "ftruncate",
    "getcwd",
    "getdents64",
    "lseek",
    "lstat",
    "mkdir",
    "mkdirat",
    "newfstatat",
    "open",
    "openat",
    "pipe2",
    "pread64",
    "preadv",
    "pwrite64",
    "pwritev",
    "read",
    "readahead",
    "readlink",
    "readlinkat",
    "readv",
    "rename",
    "renameat",
    "renameat2",
    "rmdir",
    "stat",
    "statfs",
    "statx",
    "sync_file_range",
    "umask",
    "unlink",
    "unlinkat",
    "utimensat",
    "write",
    "writev",
    // Sockets that are open, and the metrics server's.
    "accept",
    "accept4",
    "bind",
    "connect",
    "getpeername",
    "getsockname",
    "getsockopt",
    "listen",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    "socketpair",
    // Who and where we are.
    "capget",
    "getegid",
    "geteuid",
    "getgid",
    "getgroups",
    "getrandom",
    "getresgid",
    "getresuid",
    "getuid",
    "sysinfo",
    "uname",
};

constexpr int kFamilies[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

constexpr unsigned long kRequests[] = {
    SIOCGIFNAME, SIOCGIFINDEX,  SIOCGIFFLAGS,  SIOCGIFHWADDR, SIOCGIFMTU,
    SIOCETHTOOL, SIOCGHWTSTAMP, SIOCSHWTSTAMP, TIOCGWINSZ,    TCGETS,
};

constexpr int kBpfCommands[] = {BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM};

}  // namespace

std::span<const char* const> AllowedSystemCalls() { return kCalls; }

std::span<const int> AllowedFamilies() { return kFamilies; }

std::span<const unsigned long> AllowedRequests() { return kRequests; }

std::span<const int> AllowedBpfCommands() { return kBpfCommands; }

}  // namespace weir

#include "tools/privileges/privileges.h"

#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <thread>

#include "tests/support/temporary_folder.h"

namespace weir {
namespace {

// Runs in a process of its own, which loses its privileges. Empty: all is well; else what is not.
std::string InChild(const std::function<std::string()>& body) {
  int pipe_fds[2];
  if (pipe(pipe_fds) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    const std::string said = body();
    const ssize_t written = write(pipe_fds[1], said.data(), said.size());
    _exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  close(pipe_fds[1]);
  char text[1024] = {};
  const ssize_t size = read(pipe_fds[0], text, sizeof text - 1);
  close(pipe_fds[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return "the child ended badly";
  return std::string(text, static_cast<size_t>(std::max<ssize_t>(size, 0)));
}

std::string GiveUp(const PrivilegeOptions& options) {
  const absl::Status status = GiveUpPrivileges(options);
  return status.ok() ? "" : std::string(status.message());
}

// "ok" or the error's name.
std::string Try(long result) { return result >= 0 ? "ok" : strerrorname_np(errno); }

class PrivilegesTest : public testing::Test {
 protected:
  void SetUp() override {
#ifdef WEIR_SANITIZED
    GTEST_SKIP() << "the sanitizers' run-time library needs more system calls";
#endif
  }
  static void NeedsRoot() {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

TEST_F(PrivilegesTest, PacketSocketsGoUnlessTheyAreKept) {
  NeedsRoot();
  const auto after = [](bool keeps) {
    return InChild([keeps] {
      if (std::string error = GiveUp({.keeps_net_raw = keeps}); !error.empty()) return error;
      return Try(socket(AF_PACKET, SOCK_RAW, 0));
    });
  };
  EXPECT_EQ(after(true), "ok");
  EXPECT_EQ(after(false), "EPERM");
}

TEST_F(PrivilegesTest, TheCapabilityGoesWithoutTheFilterToo) {
  NeedsRoot();
  EXPECT_EQ(InChild([] {
              if (std::string error = GiveUp({.filters_system_calls = false}); !error.empty())
                return error;
              return Try(socket(AF_PACKET, SOCK_RAW, 0));
            }),
            "EPERM");
}

TEST_F(PrivilegesTest, CallsThatARunNeverMakesAreRefused) {
  EXPECT_EQ(InChild([] {
              if (std::string error = GiveUp({}); !error.empty()) return error;
              char* const none[] = {nullptr};
              return Try(execve("/bin/true", none, none)) + " " +
                     Try(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)) + " " +
                     Try(socket(AF_VSOCK, SOCK_STREAM, 0)) + " " + Try(sethostname("x", 1)) + " " +
                     Try(getppid()) + " " + Try(socket(AF_INET, SOCK_STREAM, 0));
            }),
            "EPERM EPERM EPERM EPERM ok ok");
}

// What `body` writes to standard error once its calls are filtered.
std::string Said(const std::function<void()>& body) {
  return InChild([&]() -> std::string {
    int pipe_fds[2];
    if (pipe(pipe_fds) != 0) return "no pipe";
    if (std::string error = GiveUp({}); !error.empty()) return error;
    dup2(pipe_fds[1], STDERR_FILENO);
    body();
    close(STDERR_FILENO);
    close(pipe_fds[1]);
    char text[1000];
    const ssize_t size = read(pipe_fds[0], text, sizeof text);
    return std::string(text, static_cast<size_t>(std::max<ssize_t>(size, 0)));
  });
}

TEST_F(PrivilegesTest, ARefusedCallIsToldOfOnce) {
  const std::string said = Said([] {
    for (int i = 0; i < 3; ++i) (void)!sethostname("x", 1);
  });
  EXPECT_EQ(said.find("weir: the system call sethostname("), 0u) << said;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  EXPECT_NE(said.find("--no-seccomp"), std::string::npos) << said;
}

TEST_F(PrivilegesTest, ACallThatIsAllowedSaysNothing) {
  EXPECT_EQ(Said([] {
              std::thread([] { getppid(); }).join();
              winsize size{};
              ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
              syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, nullptr, 0);
            }),
            "");
}

// Each by its arguments.
TEST_F(PrivilegesTest, WhatIsAllowedForSomeArgumentsIsRefusedForOthers) {
  const auto refused = [](const char* name, const std::function<long()>& call) {
    std::string result;
    const std::string said = Said([&] {
      if (call() != -1 || errno != EPERM) (void)!write(STDERR_FILENO, "done", 4);
    });
    EXPECT_EQ(said.find(std::string("weir: the system call ") + name + "("), 0u) << said;
    EXPECT_EQ(said.find("done"), std::string::npos) << said;
  };
  refused("mmap", [] {
    return mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                   MAP_FAILED
               ? -1
               : 0;
  });
  refused("mprotect", [] {
    void* const page =
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, 4096, PROT_READ | PROT_EXEC);
  });
  refused("clone", [] { return fork(); });
  refused("ioctl", [] { return ioctl(STDIN_FILENO, TIOCSTI, "x"); });
  refused("bpf", [] { return syscall(SYS_bpf, BPF_PROG_LOAD, nullptr, 0); });
  refused("socket", [] { return socket(AF_VSOCK, SOCK_STREAM, 0); });
}

TEST_F(PrivilegesTest, NothingComesBack) {
  EXPECT_EQ(InChild([] {
              if (std::string error = GiveUp({.filters_system_calls = false}); !error.empty())
                return error;
              if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return std::string("new privileges");
              return Try(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0));
            }),
            "EPERM");
}

TEST_F(PrivilegesTest, AnotherUser) {
  NeedsRoot();
  EXPECT_EQ(InChild([] {
              if (std::string error = GiveUp({.keeps_net_raw = true, .user = "nobody"});
                  !error.empty())
                return error;
              if (getuid() == 0 || geteuid() == 0 || getgid() == 0)
                return std::string("still root");
              if (getgroups(0, nullptr) != 0) return std::string("other groups");
              return Try(socket(AF_PACKET, SOCK_RAW, 0)) + " " + Try(setuid(0));
            }),
            "ok EPERM");
}

TEST_F(PrivilegesTest, AUserThatIsNotThere) {
  EXPECT_EQ(InChild([] { return GiveUp({.user = "nobody-of-this-name"}); }),
            "--user nobody-of-this-name: there is no such user");
}

TEST_F(PrivilegesTest, AFolderOfSomebodyElses) {
  NeedsRoot();
  const test::TemporaryFolder folder;
  const std::string inside = folder.File("inside");
  ASSERT_EQ(mkdir(inside.c_str(), 0755), 0);
  ASSERT_EQ(chown(inside.c_str(), 65534, 65534), 0);
  const std::string said = InChild([&] {
    if (std::string error = GiveUp({}); !error.empty()) return error;
    if (!CheckFolder(folder.File("not/there/yet"), "--eve").ok()) return std::string("refused");
    return std::string(CheckFolder(inside + "/deeper", "--streams").message());
  });
  EXPECT_NE(said.find("--streams"), std::string::npos) << said;
  EXPECT_NE(said.find("add --user nobody"), std::string::npos) << said;
}

}  // namespace
}  // namespace weir

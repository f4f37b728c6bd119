#include "tests/tools/weir/run_command.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace weir::test {
namespace {

constexpr uid_t kNobody = 65534;

std::string TemporaryPath() {
  std::string path = testing::TempDir() + "weir_command_XXXXXX";
  close(mkstemp(path.data()));
  return path;
}

void Redirect(const std::string& path, int fd) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT, 0644);
  dup2(file, fd);
}

void Append32(Bytes& bytes, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<uint8_t>(value >> shift));
}

// capabilities(7), "Ambient" and "Effect of user ID changes on capabilities".
bool BecomeOrdinaryWith(const std::vector<int>& capabilities) {
  uint64_t bits = 0;
  for (const int capability : capabilities) bits |= uint64_t{1} << capability;
  for (int i = 0; i <= CAP_LAST_CAP; ++i) {
    if ((bits >> i & 1) == 0) prctl(PR_CAPBSET_DROP, i);
  }
  prctl(PR_SET_KEEPCAPS, 1);
  if (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0) return false;
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (int word = 0; word < 2; ++word) {
    const auto part = static_cast<uint32_t>(bits >> (32 * word));
    data[word] = {.effective = part, .permitted = part, .inheritable = part};
  }
  if (syscall(SYS_capset, &header, data) != 0) return false;
  for (const int capability : capabilities)
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0) return false;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

}  // namespace

Command::~Command() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

void Command::Child(int input) const {
  if (input >= 0) dup2(input, STDIN_FILENO);
  if (closed_reader_) {
    int pipe_fds[2];
    if (pipe(pipe_fds) != 0) _exit(127);
    close(pipe_fds[0]);
    dup2(pipe_fds[1], STDOUT_FILENO);
  } else {
    Redirect(output_path_.empty() ? out_path_ : output_path_, STDOUT_FILENO);
  }
  Redirect(err_path_, STDERR_FILENO);
  if (without_privilege_) prctl(PR_CAPBSET_DROP, CAP_NET_RAW);
  if (only_ && !BecomeOrdinaryWith(*only_)) _exit(126);
  std::vector<char*> argv = {const_cast<char*>(WEIR_COMMAND)};
  for (const std::string& argument : arguments_)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  if (nobodys_program_.empty()) {
    execv(WEIR_COMMAND, argv.data());
  } else if (setgroups(0, nullptr) == 0 && setgid(kNobody) == 0 && setuid(kNobody) == 0) {
    execv(nobodys_program_.c_str(), argv.data());
  }
  _exit(127);
}

void Command::Start() {
  out_path_ = TemporaryPath();
  err_path_ = TemporaryPath();
  int input[2] = {-1, -1};
  if (input_pipe_) {
    ASSERT_EQ(pipe2(input, O_CLOEXEC), 0);
  }
  pid_ = fork();
  if (pid_ == 0) Child(input[0]);
  ASSERT_GT(pid_, 0);
  if (input_pipe_) close(input[0]);
  input_fd_ = input[1];
}

void Command::WriteInput(const Bytes& bytes) {
  ASSERT_EQ(write(input_fd_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

void Command::CloseInput() {
  close(input_fd_);
  input_fd_ = -1;
}

void Command::Signal(int signal) const { kill(pid_, signal); }

// proc_pid_status(5): a mask in hexadecimal digits, signal 1 is its lowest bit. SIGHUP's handler is
// the last to be installed.
bool Command::WaitUntilReady() const {
  const std::string path = "/proc/" + std::to_string(pid_) + "/status";
  return Eventually([&] {
    std::ifstream status(path);
    for (std::string name; status >> name;) {
      uint64_t caught = 0;
      if (name == "SigCgt:" && status >> std::hex >> caught)
        return (caught >> (SIGHUP - 1) & 1) != 0;
    }
    return false;
  });
}

CommandResult Command::Finish() {
  CommandResult result;
  int status = 0;
  const bool ended = Eventually([&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
  EXPECT_TRUE(ended) << "weir did not end";
  if (ended) {
    pid_ = -1;
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  if (input_fd_ >= 0) CloseInput();
  result.out = ReadFile(out_path_);
  result.err = ReadFile(err_path_);
  if (!refused_calls_) {
    EXPECT_EQ(result.err.find("was refused (EPERM)"), std::string::npos) << result.err;
  }
  unlink(out_path_.c_str());
  unlink(err_path_.c_str());
  return result;
}

CommandResult RunWeir(std::vector<std::string> arguments) {
  return Command(std::move(arguments)).Run();
}

// https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html section 4
Bytes PcapOf(const std::vector<Bytes>& frames, uint32_t step_us) {
  Bytes file;
  for (const uint32_t word : {0xa1b2c3d4u, 0x00040002u, 0u, 0u, 262144u, 1u}) Append32(file, word);
  uint64_t time_us = 1'000'000'000'000'000;
  for (const Bytes& frame : frames) {
    Append32(file, static_cast<uint32_t>(time_us / 1'000'000));
    Append32(file, static_cast<uint32_t>(time_us % 1'000'000));
    Append32(file, static_cast<uint32_t>(frame.size()));
    Append32(file, static_cast<uint32_t>(frame.size()));
    file.insert(file.end(), frame.begin(), frame.end());
    time_us += step_us;
  }
  return file;
}

void WriteFile(const std::string& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace weir::test

// What a running weir can still do, as the kernel sees it: /proc/<pid>/task/*/status, and system
// calls that are made in its name.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/support/injected_call.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

constexpr uint64_t kNetRaw = uint64_t{1} << CAP_NET_RAW;

using Status = std::map<std::string, std::string>;  // "CapEff" to "0000000000002000"

Status ReadStatus(const std::filesystem::path& task) {
  std::ifstream file(task / "status");
  Status status;
  for (std::string name, rest; std::getline(file, name, ':') && std::getline(file, rest);)
    status[name] = rest.substr(rest.find_first_not_of(" \t") == std::string::npos
                                   ? rest.size()
                                   : rest.find_first_not_of(" \t"));
  return status;
}

class RunningWeir : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
#ifdef WEIR_SANITIZED
    GTEST_SKIP() << "built with a sanitizer, which filters no system calls";
#endif
    pair_.emplace(2);
  }

  // Until its shards run and have seen a frame.
  void Start(std::vector<std::string> more) {
    const auto scope = pair_->far().Enter();
    std::vector<std::string> arguments = {
        "-i", VethPair::kFar, "--shards", "2", "--quiet", "--eve", folder_.File("eve.json")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    weir_.emplace(arguments);
    if (refused_calls_) weir_->WithRefusedCalls();
    if (only_) weir_->WithOnly(*only_);
    weir_->Start();
    ASSERT_TRUE(Eventually([&] { return Tasks().size() >= 3; })) << "threads";
    Send();
  }
  void Send() const {
    const auto scope = pair_->near().Enter();
    RawSender sender(VethPair::kNear);
    sender.Send(
        PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Payload(10).Build());
  }
  std::vector<std::filesystem::path> Tasks() const {
    std::vector<std::filesystem::path> tasks;
    std::error_code gone;
    const std::string folder = "/proc/" + std::to_string(weir_->pid()) + "/task";
    for (const auto& entry : std::filesystem::directory_iterator(folder, gone))
      tasks.push_back(entry.path());
    return tasks;
  }
  // In the main thread, which mostly waits.
  std::optional<int64_t> Call(long number, std::array<uint64_t, 3> arguments) const {
    return InjectCall(weir_->pid(), number, arguments);
  }
  void ExpectEnd() {
    weir_->Signal(SIGTERM);
    const CommandResult result = weir_->Finish();
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(ReadFile(folder_.File("eve.json")), testing::HasSubstr("10.0.0.1"));
  }

  std::optional<VethPair> pair_;
  TemporaryFolder folder_;
  std::optional<Command> weir_;
  std::optional<std::vector<int>> only_;
  bool refused_calls_ = false;
};

TEST_F(RunningWeir, KeepsNothingButPacketSockets) {
  refused_calls_ = true;
  Start({});
  for (const auto& task : Tasks()) {
    Status status = ReadStatus(task);
    EXPECT_EQ(std::stoull(status["CapEff"], nullptr, 16), kNetRaw) << task;
    EXPECT_EQ(std::stoull(status["CapPrm"], nullptr, 16), kNetRaw) << task;
    EXPECT_EQ(std::stoull(status["CapInh"], nullptr, 16), 0u) << task;
    EXPECT_EQ(std::stoull(status["CapBnd"], nullptr, 16), 0u) << task;
    EXPECT_EQ(std::stoull(status["CapAmb"], nullptr, 16), 0u) << task;
    EXPECT_EQ(status["NoNewPrivs"], "1") << task;
    EXPECT_EQ(status["Seccomp"], "2") << task;
  }
  const auto refused = Call(SYS_sethostname, {0, 0, 0});
  if (!refused) GTEST_SKIP() << "no system call can be made in its name here";
  EXPECT_EQ(*refused, -EPERM);
  EXPECT_EQ(Call(SYS_execve, {0, 0, 0}), -EPERM);  // -EFAULT without the filter
  EXPECT_GE(Call(SYS_socket, {AF_PACKET, SOCK_RAW, 0}).value_or(-1), 0);
  ExpectEnd();
}

TEST_F(RunningWeir, WithDropAllKeepsNothing) {
  refused_calls_ = true;
  Start({"--drop-all"});
  for (const auto& task : Tasks()) {
    Status status = ReadStatus(task);
    for (const char* set : {"CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"})
      EXPECT_EQ(std::stoull(status[set], nullptr, 16), 0u) << task << set;
    EXPECT_EQ(status["NoNewPrivs"], "1") << task;
    EXPECT_EQ(status["Seccomp"], "2") << task;
  }
  const auto refused = Call(SYS_socket, {AF_PACKET, SOCK_RAW, 0});
  if (!refused) GTEST_SKIP() << "no system call can be made in its name here";
  EXPECT_EQ(*refused, -EPERM);
  EXPECT_EQ(Call(SYS_execve, {0, 0, 0}), -EPERM);
  EXPECT_GT(Call(SYS_getpid, {}).value_or(0), 0) << "the calls of a run go on";
  ExpectEnd();
}

TEST_F(RunningWeir, SaysWhichCallWasRefusedAndWhatToDo) {
  refused_calls_ = true;
  Start({});
  if (!Call(SYS_sethostname, {0, 0, 0})) GTEST_SKIP() << "no system call can be made in its name";
  Call(SYS_sethostname, {0, 0, 0});
  Call(SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC});
  weir_->Signal(SIGTERM);
  const CommandResult result = weir_->Finish();
  EXPECT_EQ(result.status, 0);
  const std::vector<std::string> said = Lines(result.err);
  ASSERT_EQ(said.size(), 2u) << "once for each call: " << result.err;
  EXPECT_THAT(said[0], testing::HasSubstr("the system call sethostname(0x0, 0x0, 0x0, ...) was "
                                          "refused (EPERM): no run of weir needs it"));
  EXPECT_THAT(said[0], testing::HasSubstr("--no-seccomp"));
  EXPECT_THAT(said[1], testing::HasSubstr("mmap(0x0, 0x1000, 0x5, ...)"));
}

TEST_F(RunningWeir, WithoutTheFilterNothingIsRefused) {
  Start({"--no-seccomp"});
  for (const auto& task : Tasks()) EXPECT_EQ(ReadStatus(task)["Seccomp"], "0") << task;
  const auto failed = Call(SYS_execve, {0, 0, 0});
  if (!failed) GTEST_SKIP() << "no system call can be made in its name here";
  EXPECT_EQ(*failed, -EFAULT);
  ExpectEnd();
}

// Reads counters, exchanges lists, serves its page, gives its queues back.
TEST_F(RunningWeir, AfXdpNeedsNothingElse) {
  const std::string list = folder_.File("ignored");
  WriteFile(list, std::string("10.9.0.0/16\n"));
  Start(
      {"--backend", "xdp", "--ignore-dst", list, "--filter", "udp", "--prometheus", "127.0.0.1:0"});
  for (const auto& task : Tasks()) EXPECT_EQ(ReadStatus(task)["Seccomp"], "2") << task;
  WriteFile(list, std::string("10.8.0.0/16\n"));
  weir_->Signal(SIGHUP);
  usleep(200'000);
  Send();
  ExpectEnd();
}

// What tools/service/weir@.service gives it, and setcap.
TEST_F(RunningWeir, AnOrdinaryUserWithTwoCapabilitiesIsEnough) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to play one";
  ASSERT_EQ(chmod(folder_.File(".").c_str(), 0777), 0);
  only_ = {{CAP_NET_RAW, CAP_BPF}};
  Start({"--fanout", "ebpf", "--rotate", "1h"});
  for (const auto& task : Tasks()) {
    Status status = ReadStatus(task);
    EXPECT_EQ(std::stoull(status["CapEff"], nullptr, 16), kNetRaw) << task;
    EXPECT_EQ(std::stoull(status["CapAmb"], nullptr, 16), 0u) << task;
  }
  weir_->Signal(SIGTERM);
  const CommandResult result = weir_->Finish();
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.err, "") << "--fanout ebpf can be had";
}

TEST_F(RunningWeir, BecomesTheUserItIsTold) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(chmod(folder_.File(".").c_str(), 0777), 0);
  Start({"--user", "nobody", "--rotate", "1h"});
  for (const auto& task : Tasks()) {
    Status status = ReadStatus(task);
    EXPECT_THAT(status["Uid"], testing::StartsWith("65534\t65534\t65534")) << task;
    EXPECT_EQ(status["Groups"], "") << task;
  }
  // The file is the user's, also one that is opened anew.
  std::filesystem::remove(folder_.File("eve.json"));
  weir_->Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] { return std::filesystem::exists(folder_.File("eve.json")); }));
  Send();
  ExpectEnd();
}

}  // namespace
}  // namespace weir::test

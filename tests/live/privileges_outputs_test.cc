// What is left of the command's privileges in each of its threads, while every output works:
// rotation, files opened anew, streams, counters, the metrics page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/http_get.h"
#include "tests/support/injected_call.h"
#include "tests/support/known_traffic.h"
#include "tests/support/netns.h"
#include "tests/support/temporary_folder.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

using testing::HasSubstr;

constexpr uint64_t kNetRaw = uint64_t{1} << CAP_NET_RAW;

// Fields of /proc/PID/task/TID/status, proc(5).
std::map<std::string, std::string> StatusOf(pid_t process, const std::string& thread) {
  std::map<std::string, std::string> fields;
  for (const std::string& line :
       Lines(ReadFile(absl::StrCat("/proc/", process, "/task/", thread, "/status")))) {
    const size_t colon = line.find(":\t");
    if (colon != std::string::npos) fields[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return fields;
}

std::vector<std::string> ThreadsOf(pid_t process) {
  std::vector<std::string> threads;
  for (const auto& entry :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", process, "/task"))) {
    threads.push_back(entry.path().filename());
  }
  return threads;
}

class PrivilegesOfOutputsTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<VethPair>();
  }

  // Two shards, with everything that a run can write. `program`: run by a user without privileges.
  void Start(const std::vector<std::string>& more, const std::string& program = "") {
    port_ = FreePort();
    std::vector<std::string> arguments = {"-i",
                                          VethPair::kFar,
                                          "--shards",
                                          "2",
                                          "--ring-mib",
                                          "4",
                                          "--quiet",
                                          "--eve",
                                          File("eve"),
                                          "--write",
                                          File("pcap"),
                                          "--streams",
                                          File("files"),
                                          "--counters",
                                          "ip",
                                          "--counters-file",
                                          File("rows"),
                                          "--interval",
                                          "50ms",
                                          "--rotate",
                                          "100KiB",
                                          "--prometheus",
                                          absl::StrCat("127.0.0.1:", port_)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    weir_ = std::make_unique<Command>(std::move(arguments));
    if (!program.empty()) weir_->AsNobody(program);
    if (refused_calls_) weir_->WithRefusedCalls();
    const auto scope = pair_->far().Enter();
    weir_->Start();
    ASSERT_TRUE(Eventually([&] {
      const std::string page = Page();
      return absl::StrContains(page, "interface=\"far0\",state=\"running\"} 1\n") &&
             absl::StrContains(page, "shard=\"1\"");
    })) << weir_->Finish().err;
  }
  std::string File(const std::string& name) const { return folder_.File(name); }
  std::string Page() const {
    const auto scope = pair_->far().Enter();
    return HttpGet(port_, "/metrics").body;
  }
  void Send(const std::vector<Bytes>& frames) {
    const auto scope = pair_->near().Enter();
    RawSender sender(VethPair::kNear);
    for (const Bytes& frame : frames) sender.Send(frame);
  }
  bool Tracked(size_t frames) const {
    return Eventually([&] {
      uint64_t sum = 0;
      for (const std::string& line : Lines(Page())) {
        if (!absl::StartsWith(line, "weir_tracked_frames_total{")) continue;
        sum += std::strtoull(line.c_str() + line.rfind(' '), nullptr, 10);
      }
      return sum == frames;
    });
  }

  // Of every thread: shards, the merger's, the metrics server's.
  void ExpectLeft(uint64_t capabilities) const {
    const std::vector<std::string> threads = ThreadsOf(weir_->pid());
    EXPECT_GE(threads.size(), 5u);
    for (const std::string& thread : threads) {
      auto status = StatusOf(weir_->pid(), thread);
      SCOPED_TRACE(status["Name"]);
      for (const char* set : {"CapPrm", "CapEff"}) {
        EXPECT_EQ(std::strtoull(status[set].c_str(), nullptr, 16), capabilities) << set;
      }
      for (const char* set : {"CapInh", "CapAmb"}) {
        EXPECT_EQ(std::strtoull(status[set].c_str(), nullptr, 16), 0u) << set;
      }
      EXPECT_EQ(status["NoNewPrivs"], "1");
#ifndef WEIR_SANITIZED
      EXPECT_EQ(status["Seccomp"], "2");
#endif
    }
  }
  // What each thread gets that is made to do a call by somebody who took it over.
  void ExpectOfACall(long number, std::array<uint64_t, 3> arguments, bool good) const {
    for (const std::string& thread : ThreadsOf(weir_->pid())) {
      const auto result = InjectCall(std::stoi(thread), number, arguments);
      if (!result) continue;  // it was not in a system call just then
      if (good) {
        EXPECT_GE(*result, 0) << number;
      } else {
        EXPECT_EQ(*result, -EPERM) << number;
      }
      ++injected_;
    }
  }
  // It rotates, opens files anew, writes new ones, answers, and ends well.
  void ExpectEverythingWorks() {
    const KnownTraffic traffic;
    Send(traffic.frames());
    EXPECT_TRUE(Tracked(traffic.frames().size())) << Page();
    std::filesystem::rename(File("rows"), File("rows.old"));
    weir_->Signal(SIGHUP);
    EXPECT_TRUE(Eventually([&] { return std::filesystem::exists(File("rows")); }));
    Send(traffic.frames());
    EXPECT_TRUE(Tracked(2 * traffic.frames().size())) << Page();
    weir_->Signal(SIGTERM);
    const CommandResult result = weir_->Finish();
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.err, "");
    size_t rotated = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.File(""))) {
      rotated += absl::StartsWith(entry.path().filename().string(), "eve");
    }
    EXPECT_GT(rotated, 2u) << "files of --eve";
    EXPECT_GT(std::distance(std::filesystem::directory_iterator(File("files")), {}), 20);
  }

  TemporaryFolder folder_;
  std::unique_ptr<VethPair> pair_;
  std::unique_ptr<Command> weir_;
  uint16_t port_ = 0;
  bool refused_calls_ = false;
  mutable int injected_ = 0;
};

TEST_F(PrivilegesOfOutputsTest, NothingButTheRightToOpenTheInterfaceAgainIsLeftInAnyThread) {
  Start({});
  ExpectLeft(kNetRaw);
  ExpectEverythingWorks();
}

TEST_F(PrivilegesOfOutputsTest, DropAllLeavesNothing) {
  Start({"--drop-all"});
  ExpectLeft(0);
  ExpectEverythingWorks();
}

TEST_F(PrivilegesOfOutputsTest, ACallThatIsForbiddenFailsInEveryThreadAndTheRunGoesOn) {
#ifdef WEIR_SANITIZED
  GTEST_SKIP() << "sanitizers need more system calls";
#endif
  refused_calls_ = true;
  for (const bool all : {false, true}) {
    Start(all ? std::vector<std::string>{"--drop-all"} : std::vector<std::string>{});
    ExpectOfACall(SYS_getpid, {}, true);
    if (injected_ == 0) GTEST_SKIP() << "no call could be injected (ptrace)";
    ExpectOfACall(SYS_execve, {}, false);
    ExpectOfACall(SYS_ptrace, {}, false);
    ExpectOfACall(SYS_setuid, {0}, false);
    ExpectOfACall(SYS_socket, {AF_PACKET, SOCK_RAW, 0}, !all);
    Send(KnownTraffic(1).frames());
    EXPECT_TRUE(Tracked(KnownTraffic(1).frames().size())) << Page();
    weir_->Signal(SIGTERM);
    EXPECT_EQ(weir_->Finish().status, 0);
  }
}

TEST_F(PrivilegesOfOutputsTest, WithDropAllAnInterfaceThatVanishesEndsTheRunWithAMessage) {
  Start({"--drop-all"});
  pair_->far().Ip("link del far0");
  const CommandResult result = weir_->Finish();
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("far0 was removed"));
}

// As README says: the capability belongs to the file, and nobody need be root.
TEST_F(PrivilegesOfOutputsTest, SetcapIsEnoughForAUserWithoutPrivileges) {
  chmod(folder_.File("").c_str(), 0777);
  const std::string program = File("weir");
  std::filesystem::copy_file(WEIR_COMMAND, program);
  if (std::system(absl::StrCat("setcap cap_net_raw+ep ", program).c_str()) != 0) {
    GTEST_SKIP() << "setcap(8) is missing, or the file system has no capabilities";
  }
  Start({"--fanout", "hash"}, program);
  ExpectLeft(kNetRaw);
  ExpectEverythingWorks();
}

}  // namespace
}  // namespace weir::test

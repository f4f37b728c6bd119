// weir doctor finds each planted fault, and the commands that it prints mend it.

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>
#include <thread>

#include "rings/unique_fd.h"
#include "tests/support/netns.h"
#include "tests/support/rich_traffic.h"
#include "tests/support/tc_program.h"
#include "tests/support/temporary_folder.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

constexpr char kFar[] = "far0";

// What the doctor said of one check.
struct Said {
  std::string health;
  std::string says;
  std::vector<std::string> commands;
};

// "  MEND     offloads     gro is on" and the commands below, "# ethtool ..."; every other line
// goes on with the sentence before.
Said Find(const std::string& text, const std::string& check) {
  Said said;
  bool here = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    const std::regex head("  (fine|unknown|advice|MEND) +" + check + "  +(.*)");
    if (std::regex_match(line, match, head)) {
      here = true;
      said.health = match[1];
      said.says = match[2];
    } else if (std::regex_match(line, match, std::regex(" +# (.*)"))) {
      if (here) said.commands.push_back(match[1]);
    } else if (std::regex_match(line, std::regex("  [a-zA-Z].*"))) {
      here = false;
    } else if (here && std::regex_match(line, match, std::regex(" {24}([^ #].*)"))) {
      said.says.append(1, ' ').append(match[1].str());
    }
  }
  return said;
}

class DoctorTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_.emplace(2);
  }

  std::string Doctor(std::vector<std::string> more = {}) const {
    const auto scope = pair_->far().Enter();
    std::vector<std::string> arguments = {"doctor", kFar};
    if (std::find(more.begin(), more.end(), "--sample") == more.end())
      arguments.insert(arguments.end(), {"--sample", "0"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    const CommandResult result = RunWeir(arguments);
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(result.status, result.out.find("\n  MEND") != std::string::npos ? 1 : 0);
    return result.out;
  }
  // As root would, in the interface's namespace; "weir" is the one that was built.
  static int Run(const NetNamespace& where, std::string command) {
    const auto scope = where.Enter();
    if (command.starts_with("weir ")) command.replace(0, 4, WEIR_COMMAND);
    return std::system((command + " >/dev/null 2>&1").c_str());
  }
  void RunAll(const Said& said) const {
    ASSERT_FALSE(said.commands.empty()) << said.says;
    for (const std::string& command : said.commands)
      EXPECT_EQ(Run(pair_->far(), command), 0) << command;
  }

  std::optional<VethPair> pair_;
};

TEST_F(DoctorTest, AnOffloadThatJoinsFrames) {
  if (std::system("command -v ethtool >/dev/null") != 0) GTEST_SKIP() << "ethtool is missing";
  ASSERT_EQ(Run(pair_->far(), "ethtool -K far0 gro on"), 0);
  const Said said = Find(Doctor(), "offloads");
  EXPECT_EQ(said.health, "MEND");
  EXPECT_NE(said.says.find("gro is on"), std::string::npos) << said.says;
  RunAll(said);
  EXPECT_EQ(Find(Doctor(), "offloads").health, "fine");
}

TEST_F(DoctorTest, AnInterfaceThatIsDown) {
  pair_->far().Ip("link set far0 down");
  const Said said = Find(Doctor(), "link");
  EXPECT_EQ(said.health, "MEND");
  RunAll(said);
  EXPECT_TRUE(Eventually([&] { return Find(Doctor(), "link").health == "fine"; }));
}

TEST_F(DoctorTest, ARingThatIsTooSmall) {
  const Said said = Find(Doctor({"--ring-mib", "1", "--shards", "1"}), "weir's ring");
  EXPECT_EQ(said.health, "MEND");
  ASSERT_EQ(said.commands.size(), 1u);
  EXPECT_EQ(Run(pair_->far(), said.commands[0] + " --shards 1 --duration 50ms --quiet"), 0);
  const std::string size = said.commands[0].substr(said.commands[0].rfind(' ') + 1);
  EXPECT_EQ(Find(Doctor({"--ring-mib", size, "--shards", "1"}), "weir's ring").health, "fine");
}

TEST_F(DoctorTest, FewerQueuesThanProcessors) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "one processor";
  if (std::system("command -v ethtool >/dev/null") != 0) GTEST_SKIP() << "ethtool is missing";
  ASSERT_EQ(Run(pair_->far(), "ethtool -L far0 rx 1 tx 1"), 0);
  const Said said = Find(Doctor(), "queues");
  EXPECT_EQ(said.health, "advice");
  RunAll(said);
  EXPECT_EQ(Find(Doctor(), "queues").health, "fine");
}

// Two instructions: XDP_PASS.
UniqueFd LoadPassProgram() {
  const bpf_insn instructions[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = XDP_PASS},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  return UniqueFd(bpf_prog_load(BPF_PROG_TYPE_XDP, "somebody_else", "GPL", instructions,
                                std::size(instructions), nullptr));
}

class ForeignProgram : public DoctorTest, public testing::WithParamInterface<uint32_t> {};

TEST_P(ForeignProgram, IsNamedAndGoesByTheCommand) {
  const UniqueFd program = LoadPassProgram();
  ASSERT_GE(program.get(), 0);
  {
    const auto scope = pair_->far().Enter();
    const int index = static_cast<int>(if_nametoindex(kFar));
    ASSERT_EQ(bpf_xdp_attach(index, program.get(), GetParam(), nullptr), 0);
  }
  const Said said = Find(Doctor({"--backend", "xdp"}), "XDP program");
  EXPECT_EQ(said.health, "MEND");
  EXPECT_NE(said.says.find("'somebody_else'"), std::string::npos) << said.says;
  EXPECT_EQ(Find(Doctor({"--backend", "packet"}), "XDP program").health, "advice");
  RunAll(said);
  EXPECT_EQ(Find(Doctor({"--backend", "xdp"}), "XDP program").health, "fine");
}
INSTANTIATE_TEST_SUITE_P(Doctor, ForeignProgram,
                         testing::Values(XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE),
                         [](const auto& mode) {
                           return mode.param == XDP_FLAGS_DRV_MODE ? "InTheDriver" : "Generic";
                         });

TEST_F(DoctorTest, AForeignProgramOfABpfLink) {
  const UniqueFd program = LoadPassProgram();
  ASSERT_GE(program.get(), 0);
  UniqueFd link;
  {
    const auto scope = pair_->far().Enter();
    const int index = static_cast<int>(if_nametoindex(kFar));
    link = UniqueFd(bpf_link_create(program.get(), index, BPF_XDP, nullptr));
  }
  ASSERT_GE(link.get(), 0);
  const Said said = Find(Doctor({"--backend", "xdp"}), "XDP program");
  EXPECT_EQ(said.health, "MEND");
  ASSERT_EQ(said.commands.size(), 1u);
  EXPECT_TRUE(said.commands[0].starts_with("bpftool link detach id ")) << said.commands[0];
  RunAll(said);
  EXPECT_EQ(Find(Doctor({"--backend", "xdp"}), "XDP program").health, "fine");
}

// Sends both directions of some flows again and again.
class Conversation {
 public:
  explicit Conversation(const VethPair& pair)
      : thread_([&pair, this] {
          const auto scope = pair.near().Enter();
          RawSender sender(VethPair::kNear);
          const std::vector<Bytes> frames = RichTraffic(Richness::kPlain);
          while (!stop_) {
            for (const Bytes& frame : frames) sender.Send(frame);
            usleep(20'000);
          }
        }) {}
  ~Conversation() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

void SteerByTc(const VethPair& pair, TcAction action, std::unique_ptr<TcProgram>* program) {
  auto attached = TcProgram::Attach(pair.near(), VethPair::kNear, TcHook::kEgress, action, 2);
  ASSERT_TRUE(attached.ok()) << attached.status();
  *program = *std::move(attached);
}

TEST_F(DoctorTest, SteeringThatCutsFlows) {
  std::unique_ptr<TcProgram> program;
  SteerByTc(*pair_, TcAction::kSteerBySource, &program);
  const Conversation conversation(*pair_);
  const Said said = Find(Doctor({"--fanout", "qm", "--sample", "1"}), "steering");
  EXPECT_EQ(said.health, "MEND");
  EXPECT_NE(said.says.find("a direction on each"), std::string::npos) << said.says;
  ASSERT_EQ(said.commands, std::vector<std::string>{"weir -i far0 --fanout ebpf"});
  // With what the command says the flows are whole, also where the device cuts them.
  EXPECT_EQ(Find(Doctor({"--fanout", "ebpf", "--sample", "1"}), "steering").health, "advice");
  const auto scope = pair_->far().Enter();
  const CommandResult whole = RunWeir({"-i", kFar, "--fanout", "ebpf", "--shards", "2",
                                       "--duration", "1s", "--eve", "-", "--quiet"});
  ASSERT_EQ(whole.status, 0) << whole.err;
  // A flow that is cut has no packets in one of its directions.
  EXPECT_NE(whole.out.find("\"event_type\":\"flow\""), std::string::npos);
  EXPECT_EQ(whole.out.find("\"pkts_toclient\":0"), std::string::npos) << whole.out;
}

TEST_F(DoctorTest, SymmetricSteeringIsFine) {
  std::unique_ptr<TcProgram> program;
  SteerByTc(*pair_, TcAction::kSteerQueue, &program);
  const Conversation conversation(*pair_);
  const Said said = Find(Doctor({"--fanout", "qm", "--sample", "1"}), "steering");
  EXPECT_EQ(said.health, "fine") << said.says;
}

TEST_F(DoctorTest, NoTrafficIsNoVerdict) {
  EXPECT_EQ(Find(Doctor({"--sample", "0.1"}), "steering").health, "unknown");
}

// The number in a file of one.
uint64_t NumberIn(const char* path) {
  std::ifstream file(path);
  uint64_t number = 0;
  file >> number;
  return number;
}

TEST_F(DoctorTest, HugePagesThatAreMissing) {
  constexpr char kPath[] = "/proc/sys/vm/nr_hugepages";
  const uint64_t before = NumberIn(kPath);
  if (before != 0) GTEST_SKIP() << "this machine has huge pages";
  const Said said = Find(Doctor({"--ring-mib", "1"}), "huge pages");
  EXPECT_TRUE(said.health == "advice" || said.health == "MEND") << said.health;
  ASSERT_FALSE(said.commands.empty());
  ASSERT_TRUE(said.commands[0].starts_with("sysctl -w vm.nr_hugepages=")) << said.commands[0];
  const uint64_t wanted = std::stoull(said.commands[0].substr(said.commands[0].rfind('=') + 1));
  const int status = Run(pair_->far(), said.commands[0]);
  const uint64_t got = NumberIn(kPath);
  const std::string after = Find(Doctor({"--ring-mib", "1"}), "huge pages").health;
  std::ofstream(kPath) << before;
  if (status != 0 || got != wanted) GTEST_SKIP() << "this machine's memory does not suffice";
  EXPECT_EQ(after, "fine");
}

// The command's file, copied to where capabilities can be given to it.
class CopiedCommand {
 public:
  CopiedCommand() : path_(folder_.File("weir")) {
    chmod(folder_.File(".").c_str(), 0755);
    std::ifstream from(WEIR_COMMAND, std::ios::binary);
    std::ofstream(path_, std::ios::binary) << from.rdbuf();
    chmod(path_.c_str(), 0755);
  }
  // As an ordinary user, who may lock 64 KiB of memory.
  std::string Doctor(const char* backend = "packet") const {
    const std::string out = folder_.File("out");
    const pid_t child = fork();
    if (child == 0) {
      const int fd = open(out.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644);
      dup2(fd, STDOUT_FILENO);
      const rlimit little = {64 << 10, 64 << 10};
      setrlimit(RLIMIT_MEMLOCK, &little);
      if (setgid(65534) != 0 || setuid(65534) != 0) _exit(126);
      execl(path_.c_str(), "weir", "doctor", kFar, "--backend", backend, "--sample", "0", nullptr);
      _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return ReadFile(out);
  }

 private:
  TemporaryFolder folder_;
  std::string path_;
};

TEST_F(DoctorTest, AMissingCapability) {
  const CopiedCommand command;
  const auto scope = pair_->far().Enter();
  const Said said = Find(command.Doctor(), "privileges");
  EXPECT_EQ(said.health, "MEND");
  EXPECT_NE(said.says.find("cap_net_raw"), std::string::npos) << said.says;
  ASSERT_EQ(said.commands.size(), 1u);
  ASSERT_EQ(std::system(said.commands[0].c_str()), 0) << said.commands[0];
  EXPECT_EQ(Find(command.Doctor(), "privileges").health, "fine");
}

TEST_F(DoctorTest, WhatAfXdpNeedsOfPrivileges) {
  const CopiedCommand command;
  const auto scope = pair_->far().Enter();
  const Said said = Find(command.Doctor("xdp"), "privileges");
  EXPECT_EQ(said.health, "MEND");
  EXPECT_NE(said.says.find("cap_ipc_lock"), std::string::npos) << said.says;
  ASSERT_EQ(said.commands.size(), 1u);
  ASSERT_EQ(std::system(said.commands[0].c_str()), 0) << said.commands[0];
  EXPECT_EQ(Find(command.Doctor("xdp"), "privileges").health, "fine");
}

// The rung of the ladder that weir would take, with its filters, and why none above it.
TEST_F(DoctorTest, TheBackEndThatWouldBeTaken) {
  const Said xdp = Find(Doctor({"--ip-only", "--filter", "udp", "--shards", "1"}), "back-end");
  EXPECT_EQ(xdp.health, "fine");
  EXPECT_EQ(
      xdp.says.find("AF_XDP copy, rules in XDP, --filter in the shard; not AF_XDP zero-copy: "), 0u)
      << xdp.says;
  pair_->far().Ip("address add 10.9.0.2/24 dev far0");
  const Said packet = Find(Doctor({"--filter", "udp"}), "back-end");
  EXPECT_EQ(packet.says.find("AF_PACKET with eBPF filter; not AF_XDP zero-copy, AF_XDP copy, "
                             "AF_XDP generic: far0 has the address 10.9.0.2"),
            0u)
      << packet.says;
  const Said shard = Find(Doctor({"--filter", "ether[ether[6]] = 1"}), "back-end");
  EXPECT_EQ(shard.health, "advice");
  EXPECT_EQ(shard.says.find("AF_PACKET, filters in the shard; not "), 0u) << shard.says;
}

TEST_F(DoctorTest, NoBackEndAtAll) {
  const Said said = Find(Doctor({"--backend", "xdp", "--shards", "4"}), "back-end");
  EXPECT_EQ(said.health, "MEND");
  EXPECT_NE(said.says.find("ethtool -L far0 combined 4"), std::string::npos) << said.says;
}

TEST(Doctor, AnInterfaceThatIsNotThere) {
  const CommandResult result = RunWeir({"doctor", "nothere0"});
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("nothere0"), std::string::npos) << result.err;
}

TEST(Doctor, WrongUsage) {
  EXPECT_EQ(RunWeir({"doctor"}).status, 2);
  EXPECT_EQ(RunWeir({"doctor", "lo", "--backend", "carrier-pigeon"}).status, 2);
  EXPECT_EQ(RunWeir({"doctor", "lo", "--vlan", "seven"}).status, 2);
  EXPECT_EQ(RunWeir({"doctor", "lo", "--ignore-dst", "/nowhere"}).status, 2);
}

}  // namespace
}  // namespace weir::test

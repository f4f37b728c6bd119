// The translation of an expression into eBPF answers as libpcap's own machine does.
#include <thread>

#include "rings/expression_program.h"
#include "rings/socket_program.h"
#include "tests/bpf/filter_fixture.h"
#include "tests/support/capabilities.h"
#include "tests/support/classic_machine.h"
#include "tests/support/filter_frames.h"

namespace weir::test {
namespace {

constexpr uint32_t kSnapLength = 262144;

class ExpressionTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto program = SocketProgram::Load({});
    if (absl::IsPermissionDenied(program.status())) GTEST_SKIP() << program.status();
  }

  // A test run takes a link header off: one that is put before the frame's own.
  static uint32_t RunByKernel(const SocketProgram& program, const Bytes& frame) {
    Bytes wrapped(14, 0xff);
    wrapped.insert(wrapped.end(), frame.begin(), frame.end());
    return TestRun(program.fd(), wrapped);
  }
  static void ExpectSame(const std::vector<sock_filter>& classic, uint32_t seed) {
    const auto program = SocketProgram::Load({.snap_length = kSnapLength, .expression = classic});
    ASSERT_TRUE(program.ok()) << program.status();
    FilterFrames frames(seed);
    uint64_t refused = 0;
    for (int i = 0; i < 300 && !HasFailure(); ++i) {
      const Bytes frame = frames.Next();
      const uint32_t wanted = RunClassic(classic, frame);
      EXPECT_EQ(RunByKernel(*program, frame), wanted) << "frame " << i;
      refused += wanted == 0;
    }
    FilterCounts counts{};
    counts[static_cast<size_t>(FilterReason::kExpression)] = refused;
    EXPECT_EQ(*program->Counts(), counts);
  }
};

TEST_F(ExpressionTest, ExpressionsAnswerAsInLibpcap) {
  for (const char* const expression : {"ip",
                                       "not ip",
                                       "arp or ip6",
                                       "host 10.1.0.64",
                                       "net 10.1.0.0/24 and not dst host 10.1.0.1",
                                       "udp port 53",
                                       "tcp port 80 or (udp and port 4789)",
                                       "tcp[tcpflags] & tcp-syn != 0",
                                       "ip[6:2] & 0x1fff != 0",
                                       "len > 80",
                                       "less 70",
                                       "ether[12:2] > 0x600",
                                       "icmp6 or icmp",
                                       "ip6 net 2001:db8:1::/48",
                                       "ip proto 47",
                                       "greater 60 and ip[8] * 2 > 9",
                                       "ether[5] / (ether[14] & 3) = 1",
                                       "ip[2:2] - ip[0] % 7 > 40",
                                       "vlan and ip",
                                       "mpls",
                                       "pppoes and ip",
                                       "portrange 50-90",
                                       "ether broadcast or ether multicast"}) {
    SCOPED_TRACE(expression);
    ExpectSame(CompileExpression(expression, kSnapLength), 5);
  }
}

// What libpcap seldom makes.
TEST_F(ExpressionTest, OtherInstructionsAnswerAsInLibpcapsMachine) {
  SCOPED_TRACE("memory, X, shifts");
  ExpectSame({BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 15), BPF_STMT(BPF_ST, 15),
              BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_STX, 0),
              BPF_STMT(BPF_MISC | BPF_TXA, 0), BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 1),
              BPF_STMT(BPF_LDX | BPF_MEM, 15), BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
              BPF_STMT(BPF_ALU | BPF_NEG, 0), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),
              BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_LD | BPF_MEM, 0),
              BPF_JUMP(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 1), BPF_STMT(BPF_RET | BPF_A, 0),
              BPF_STMT(BPF_RET | BPF_K, 0)},
             6);
}

TEST_F(ExpressionTest, AProgramThatRefusesNothingLoads) {
  ExpectSame({BPF_STMT(BPF_RET | BPF_K, kSnapLength)}, 7);
}

TEST_F(ExpressionTest, RulesAndExpressionLoadWithCapBpfAlone) {
  absl::Status program, rules;
  std::thread unprivileged([&] {
    KeepOnlyCapabilities({CAP_BPF});
    program = SocketProgram::Load(
                  {.expression = CompileExpression("udp port 53 and ip[6:2] != 0", kSnapLength)})
                  .status();
    rules = KernelRules::Create().status();
  });
  unprivileged.join();
  EXPECT_TRUE(program.ok()) << program;
  EXPECT_TRUE(rules.ok()) << rules;
}

TEST_F(ExpressionTest, WhatIsNotTranslatedIsAnError) {
  const auto program = SocketProgram::Load(
      {.expression = {
           BPF_STMT(BPF_LD | BPF_B | BPF_ABS, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_RANDOM)),
           BPF_STMT(BPF_RET | BPF_A, 0)}});
  EXPECT_TRUE(absl::IsUnimplemented(program.status())) << program.status();
}

}  // namespace
}  // namespace weir::test

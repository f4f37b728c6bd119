// Classic BPF says the same as user space: by libpcap's machine, which knows no VLAN tag beside the
// bytes, and by the kernel's own (tests/live/packet_filter_test.cc).
#include "rings/classic_rules.h"

#include "gtest/gtest.h"
#include "rings/classic_program.h"
#include "tests/support/classic_machine.h"
#include "tests/support/filter_frames.h"

namespace weir::test {
namespace {

void ExpectSame(const FilterRules& rules, const Bytes& bytes, uint16_t link_type) {
  constexpr uint32_t kSnapLength = 99;
  std::vector<sock_filter> program = ClassicRules(rules, link_type == link_type::kEthernet);
  program.push_back(BPF_STMT(BPF_RET | BPF_K, kSnapLength));
  EXPECT_EQ(RunClassic(program, bytes),
            rules.WhyRefused(AsFrame(bytes, link_type)) ? 0 : kSnapLength);
}

TEST(ClassicRules, SayWhatUserSpaceSaysOfGeneratedFrames) {
  FilterFrames frames(3);
  for (int round = 0; round < 200 && !testing::Test::HasFailure(); ++round) {
    const FilterRules rules = frames.Rules();
    for (int i = 0; i < 50 && !testing::Test::HasFailure(); ++i) {
      ExpectSame(rules, frames.Next(), link_type::kEthernet);
    }
  }
}

TEST(ClassicRules, SayWhatUserSpaceSaysOfFramesWithoutLinkHeader) {
  FilterFrames frames(4);
  for (int round = 0; round < 100 && !testing::Test::HasFailure(); ++round) {
    const FilterRules rules = frames.Rules();
    for (int i = 0; i < 50 && !testing::Test::HasFailure(); ++i) {
      Bytes bytes = frames.Next();
      bytes.erase(bytes.begin(), bytes.begin() + 14);
      ExpectSame(rules, bytes, link_type::kRaw);
    }
  }
}

TEST(ClassicRules, WithoutRulesThereIsNoProgram) { EXPECT_TRUE(ClassicRules({}, true).empty()); }

TEST(ClassicRules, ListsOfHundredsOfNetworksFit) {
  std::string text;
  for (int i = 0; i < 256; ++i) {
    text += "10.0." + std::to_string(i) + ".0/25\n" + "10.1." + std::to_string(i) + ".0/25\n";
  }
  FilterRules rules;
  rules.ignore_destinations = *CidrSet::Parse(text, "f");
  EXPECT_LT(ClassicRules(rules, true).size(), BPF_MAXINSNS);
}

TEST(ClassicProgram, JumpsReachFartherThanOneByteCounts) {
  ClassicProgram program;
  const auto end = program.NewLabel();
  program.Add(BPF_LD | BPF_IMM, 7);
  program.JumpIf(BPF_JEQ, 7, end);
  for (int i = 0; i < 1000; ++i) program.Add(BPF_RET | BPF_K, 0);
  program.Bind(end);
  program.Add(BPF_RET | BPF_K, 5);
  EXPECT_EQ(RunClassic(program.Finish(), Bytes(1)), 5u);
}

}  // namespace
}  // namespace weir::test

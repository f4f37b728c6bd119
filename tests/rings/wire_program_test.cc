// A frame whose VLAN tag the kernel took out of the bytes is judged as it stood on the wire.
#include "rings/wire_program.h"

#include <gtest/gtest.h>

#include "tests/support/classic_machine.h"
#include "tests/support/filter_frames.h"

namespace weir::test {
namespace {

constexpr uint32_t kSnapLength = 262144;

std::vector<sock_filter> MustRewrite(const std::vector<sock_filter>& program) {
  auto rewritten = AsOnTheWire(program);
  EXPECT_TRUE(rewritten.ok()) << rewritten.status();
  return rewritten.value_or(std::vector<sock_filter>());
}

// What skb_vlan_untag of the kernel makes of a frame.
struct Untagged {
  explicit Untagged(const Bytes& wire) : bytes(wire) {
    const auto type = static_cast<uint16_t>(wire[12] << 8 | wire[13]);
    if ((type != 0x8100 && type != 0x88a8) || wire.size() < 20) return;
    tag = {type, static_cast<uint16_t>(wire[14] << 8 | wire[15])};
    bytes.erase(bytes.begin() + 12, bytes.begin() + 16);
  }
  Bytes bytes;
  TakenTag tag;
};

// `some`: of the frames with a tag some pass.
void ExpectSame(const std::vector<sock_filter>& program, uint32_t seed, bool some = true) {
  const std::vector<sock_filter> rewritten = MustRewrite(program);
  FilterFrames frames(seed);
  int taken = 0;
  for (int i = 0; i < 3000; ++i) {
    const Bytes wire = frames.Next();
    const Untagged seen(wire);
    const uint32_t wanted = RunClassic(program, wire);
    EXPECT_EQ(RunClassic(rewritten, seen.bytes, seen.tag), wanted) << "frame " << i;
    EXPECT_EQ(RunClassic(rewritten, wire), wanted) << "with its tag in the bytes, frame " << i;
    taken += seen.tag.tpid != 0 && wanted != 0;
  }
  EXPECT_EQ(taken > 0, some);
}

TEST(WireProgram, SaysOfTakenTagsWhatTheExpressionSaysOfTheWire) {
  for (const char* const expression : {"not ip",
                                       "vlan",
                                       "vlan 2",
                                       "not vlan 3",
                                       "vlan and ip",
                                       "vlan and ip6 and tcp port 80",
                                       "vlan and vlan 2 and ip",
                                       "vlan and (udp port 53 or icmp)",
                                       "udp or (vlan and udp) or (vlan and udp)",
                                       "vlan and ip[6:2] & 0x1fff != 0",
                                       "vlan and ip[ip[0] & 15] > 7",
                                       "vlan and tcp[tcpflags] & tcp-ack != 0",
                                       "len > 80",
                                       "less 70",
                                       "ether[12:2] = 0x8100",
                                       "ether[12] = 0x88 or ether[13] = 0",
                                       "ether[14:2] & 0xfff = 2",
                                       "ether[14] > 100 or ether[15] = 3",
                                       "ether[11:2] & 0xff = 0x81",
                                       "ether[13:2] & 0xe0 = 0x20",
                                       "ether[15:2] & 0xff = 8",
                                       "ether[12:4] & 0xffff0007 = 0x81000003",
                                       "ether[13:4] & 0xff = 8",
                                       "ether[9:4] & 0xff = 0x81",
                                       "ether[16:2] = 0x800",
                                       "ether[14:4] & 0xffff = 0x800",
                                       "ether[15] > ether[14] % 7 * 40"}) {
    SCOPED_TRACE(expression);
    ExpectSame(CompileExpression(expression, kSnapLength), 31);
  }
}

TEST(WireProgram, WithoutVlanMostExpressionsAreAboutUntaggedFrames) {
  for (const char* const expression :
       {"ip", "udp port 53", "host 10.1.0.64", "mpls", "arp or ip6 and tcp"})
    ExpectSame(CompileExpression(expression, kSnapLength), 32, false);
}

// What libpcap seldom makes: X by a byte of the tag, X by the length, both behind a jump.
TEST(WireProgram, XIsAsOnTheWire) {
  ExpectSame({BPF_STMT(BPF_LD | BPF_IMM, 9), BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 15),
              BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 20, 0, 3),
              BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_X, 0, 1, 0),
              BPF_STMT(BPF_RET | BPF_K, 1), BPF_STMT(BPF_RET | BPF_K, 0)},
             33);
}

TEST(WireProgram, AComputedPlaceIsNotTranslated) {
  const auto program = AsOnTheWire(CompileExpression("ether[ether[6]] = 1", kSnapLength));
  EXPECT_TRUE(absl::IsUnimplemented(program.status())) << program.status();
}

TEST(WireProgram, WithoutMemoryLeftItIsNotTranslated) {
  std::vector<sock_filter> all;
  for (uint32_t i = 0; i < BPF_MEMWORDS; ++i) all.push_back(BPF_STMT(BPF_ST, i));
  all.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
  EXPECT_TRUE(absl::IsUnimplemented(AsOnTheWire(all).status()));
}

}  // namespace
}  // namespace weir::test

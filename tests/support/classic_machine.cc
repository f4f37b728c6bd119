#include "tests/support/classic_machine.h"

#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <utility>

namespace weir::test {

std::vector<sock_filter> CompileExpression(const std::string& expression, uint32_t snap_length) {
  pcap_t* const pcap = pcap_open_dead(DLT_EN10MB, static_cast<int>(snap_length));
  bpf_program program{};
  EXPECT_EQ(pcap_compile(pcap, &program, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN), 0)
      << pcap_geterr(pcap);
  std::vector<sock_filter> instructions;
  for (unsigned i = 0; i < program.bf_len; ++i) {
    const bpf_insn& one = program.bf_insns[i];
    instructions.push_back({one.code, one.jt, one.jf, one.k});
  }
  pcap_freecode(&program);
  pcap_close(pcap);
  return instructions;
}

// What stands beside the bytes is no question to libpcap's machine: the answer takes its place.
uint32_t RunClassic(const std::vector<sock_filter>& program, const Bytes& frame,
                    const TakenTag& tag) {
  std::vector<bpf_insn> instructions;
  for (const sock_filter& one : program) {
    instructions.push_back({one.code, one.jt, one.jf, one.k});
    for (const auto& [what, answer] :
         {std::pair{SKF_AD_VLAN_TAG_PRESENT, tag.tpid != 0 ? 1 : 0},
          std::pair{SKF_AD_VLAN_TPID, int{tag.tpid}}, std::pair{SKF_AD_VLAN_TAG, int{tag.tci}}}) {
      if (one.k == static_cast<uint32_t>(SKF_AD_OFF + what)) {
        instructions.back() = BPF_STMT(BPF_LD | BPF_IMM, static_cast<u_int>(answer));
      }
    }
  }
  const auto length = static_cast<u_int>(frame.size());
  return bpf_filter(instructions.data(), frame.data(), length, length);
}

}  // namespace weir::test

#include "rings/socket_filter.h"

#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_format.h"
#include "rings/frame.h"
#include "rings/pcap_handle.h"
#include "rings/wire_program.h"

namespace weir {
absl::StatusOr<std::vector<sock_filter>> CompileSocketFilter(const std::string& expression,
                                                             uint16_t link_type,
                                                             uint32_t snap_length) {
  if (expression.empty()) return std::vector<sock_filter>{BPF_STMT(BPF_RET | BPF_K, snap_length)};
  auto handle = OpenDeadPcap(link_type, static_cast<int>(snap_length));
  if (!handle.ok()) return handle.status();
  bpf_program program{};
  if (pcap_compile(handle->get(), &program, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    return absl::InvalidArgumentError(absl::StrFormat("filter \"%s\": %s (see pcap-filter(7))",
                                                      expression, pcap_geterr(handle->get())));
  }
  std::vector<sock_filter> instructions;
  for (unsigned i = 0; i < program.bf_len; ++i) {
    const bpf_insn& insn = program.bf_insns[i];
    instructions.push_back({insn.code, insn.jt, insn.jf, insn.k});
  }
  pcap_freecode(&program);
  return link_type == link_type::kEthernet ? AsOnTheWire(instructions) : instructions;
}

std::vector<sock_filter> OnlyOutgoing(const std::vector<sock_filter>& program) {
  std::vector<sock_filter> all = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  all.insert(all.end(), program.begin(), program.end());
  return all;
}

absl::Status AttachSocketFilter(int fd, const std::vector<sock_filter>& program) {
  sock_fprog attached = {static_cast<unsigned short>(program.size()),
                         const_cast<sock_filter*>(program.data())};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(
      errno, absl::StrFormat("the kernel refuses the filter program of %d instructions: use a "
                             "simpler expression",
                             program.size()));
}

absl::Status RefuseAll(int fd) { return AttachSocketFilter(fd, {BPF_STMT(BPF_RET | BPF_K, 0)}); }

}  // namespace weir

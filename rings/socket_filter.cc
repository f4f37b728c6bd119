#include "rings/socket_filter.h"

#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_format.h"
#include "rings/pcap_handle.h"

namespace weir {
namespace {

// A handle that knows the interface; a dead one where frames come without link header.
absl::StatusOr<PcapHandle> HandleFor(const NetworkInterface& interface, uint32_t snap_length) {
  const auto snap = static_cast<int>(snap_length);
  if (LinkLayerOf(interface.hardware_type).cooked) {
    return PcapHandle(pcap_open_dead(DLT_RAW, snap));
  }
  char error[PCAP_ERRBUF_SIZE] = "";
  PcapHandle handle(pcap_create(interface.name.c_str(), error));
  if (handle == nullptr) {
    return absl::InternalError(
        absl::StrFormat("cannot compile a filter for %s: %s", interface.name, error));
  }
  pcap_set_snaplen(handle.get(), snap);
  pcap_set_buffer_size(handle.get(), 1 << 16);
  // Warnings are positive: an interface that is down can be compiled for.
  const int result = pcap_activate(handle.get());
  if (result < 0 && result != PCAP_ERROR_IFACE_NOT_UP) {
    return absl::InternalError(absl::StrFormat("cannot compile a filter for %s: %s", interface.name,
                                               pcap_geterr(handle.get())));
  }
  return handle;
}

}  // namespace

absl::StatusOr<std::vector<sock_filter>> CompileSocketFilter(const std::string& expression,
                                                             const NetworkInterface& interface,
                                                             uint32_t snap_length) {
  if (expression.empty()) return std::vector<sock_filter>{BPF_STMT(BPF_RET | BPF_K, snap_length)};
  auto handle = HandleFor(interface, snap_length);
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
  return instructions;
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

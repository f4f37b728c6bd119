// The eBPF program that gives an interface's frames to AF_XDP sockets: bpf/xdp_redirect.bpf.c. It
// is attached by a bpf_link, so it goes when the object does, or the process, however that ends.
//
// A program that somebody else has attached is never replaced. Cold path, but for LeftToHost and
// RemoveSocket, which are system calls for the intervals' and the run's end. Thread: any, one at a
// time for Load to Attach; after that the rest may be called from several at once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bpf/xdp_redirect.h"
#include "rings/filter_reason.h"
#include "rings/host_use.h"
#include "rings/network_interface.h"
#include "rings/unique_fd.h"

struct xdp_redirect;

namespace weir {

// Frames that the program passed up to the host, by reason (enum weir_xdp_left).
using LeftToHost = std::array<uint64_t, kWeirLeftReasons>;

struct XdpProgramOptions {
  uint32_t queues = 1;                     // receive queues of the interface
  bool pieces = true;                      // takes frames in several pieces: Linux 5.18
  bool filters = false;                    // there are rules, see rules_map(): Linux 5.18
  bool protects_host = false;              // leaves to the host what it cannot do without
  std::vector<HostAddress> own_addresses;  // protects_host: frames to them stay with the host
};

class XdpProgram {
 public:
  // Loads it into the kernel. Needs CAP_BPF and CAP_NET_ADMIN.
  static absl::StatusOr<std::unique_ptr<XdpProgram>> Load(const XdpProgramOptions& options);
  ~XdpProgram();
  XdpProgram(const XdpProgram&) = delete;
  XdpProgram& operator=(const XdpProgram&) = delete;

  // Frames of this queue go to that AF_XDP socket, or to the host again.
  absl::Status SetSocket(uint32_t queue, int socket_fd);
  absl::Status RemoveSocket(uint32_t queue);

  // Frames to addresses that the host has got since the last call stay with it, too, where the
  // program protects it. One thread at a time.
  absl::Status ProtectHostAddresses();

  // Attaches it in the driver, or in the kernel's generic path, and proves by asking the kernel
  // that it stands there.
  absl::Status Attach(const NetworkInterface& interface, bool generic);

  int rules_map() const;  // for KernelRules

  // Totals of one queue, over all processors.
  LeftToHost Left(uint32_t queue) const;
  FilterCounts Filtered(uint32_t queue) const;  // zeros without XdpProgramOptions::filters

 private:
  XdpProgram() = default;
  uint32_t Id() const;

  absl::Status Protect(const std::vector<HostAddress>& addresses);

  xdp_redirect* skeleton_ = nullptr;
  bool protects_host_ = false;
  std::vector<HostAddress> own_addresses_;  // that the program knows
  UniqueFd link_;
};

// OK where the interface has no XDP program; else whose it is and what to do. One of another weir
// that ends just now is waited for, a moment.
absl::Status CheckNoProgram(const NetworkInterface& interface);

}  // namespace weir

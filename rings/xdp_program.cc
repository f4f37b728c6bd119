#include "rings/xdp_program.h"

#include <bpf/bpf.h>
#include <linux/if_link.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "rings/kernel_rules.h"
#include "rings/silent_libbpf.h"
#include "rings/xdp_query.h"
#include "xdp_redirect.skel.h"

namespace weir {
namespace {

constexpr uint32_t kLaterAddresses = 1024;  // that the host may get while the program runs
constexpr char kProgramName[] = "weir_redirect";
constexpr absl::Duration kPatience = absl::Milliseconds(300), kPause = absl::Milliseconds(10);

absl::Status CannotLoad(int error) {
  if (error == EPERM || error == EACCES) {
    return absl::PermissionDeniedError(
        "cannot load the XDP program: needs CAP_BPF and CAP_NET_ADMIN (sudo, or once: setcap "
        "cap_net_raw,cap_net_admin,cap_bpf+ep weir)");
  }
  return absl::ErrnoToStatus(error, "cannot load the XDP program: needs Linux 5.15 with BPF");
}

absl::Status Conflict(const NetworkInterface& interface, const AttachedXdp& program) {
  const auto& [id, name, generic, link] = program;
  if (name == kProgramName) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "another weir receives on %s by AF_XDP (program %s, id %u): end it first; two cannot share "
        "an interface, but one can have several shards",
        interface.name, name, id));
  }
  return absl::FailedPreconditionError(absl::StrFormat(
      "%s has an XDP program of somebody else's: %s%s%sid %u (see: ip link show %s; bpftool net). "
      "It is not replaced: end who attached it, detach it (ip link set %s xdp off), or use "
      "--backend packet",
      interface.name, name.empty() ? "" : "\"", name, name.empty() ? "" : "\", ", id,
      interface.name, interface.name));
}

absl::Status CannotAttach(int error, const NetworkInterface& interface, bool generic) {
  if (error == EPERM || error == EACCES) {
    return absl::PermissionDeniedError(
        absl::StrFormat("cannot attach the XDP program to %s: needs CAP_NET_ADMIN (sudo, or once: "
                        "setcap cap_net_raw,cap_net_admin,cap_bpf+ep weir)",
                        interface.name));
  }
  const char* const where = generic ? "the generic path" : "the driver";
  const char* const advice =
      generic ? "" : " (no native XDP in the driver, or the MTU is too large for it)";
  return absl::ErrnoToStatus(error, absl::StrFormat("%s: %s does not take the XDP program%s",
                                                    interface.name, where, advice));
}

}  // namespace

absl::Status CheckNoProgram(const NetworkInterface& interface) {
  const absl::Time until = absl::Now() + kPatience;
  for (;;) {
    const std::optional<AttachedXdp> program = FindAttachedXdp(interface.index);
    if (!program) return absl::OkStatus();
    if (program->name != kProgramName || absl::Now() >= until) return Conflict(interface, *program);
    absl::SleepFor(kPause);
  }
}

absl::StatusOr<std::unique_ptr<XdpProgram>> XdpProgram::Load(const XdpProgramOptions& options) {
  const SilentLibbpf silent;
  auto program = std::unique_ptr<XdpProgram>(new XdpProgram);
  program->skeleton_ = xdp_redirect__open();
  xdp_redirect* const skeleton = program->skeleton_;
  if (skeleton == nullptr) return CannotLoad(errno);
  const auto addresses = static_cast<uint32_t>(options.own_addresses.size()) + kLaterAddresses;
  skeleton->rodata->config.queues = options.queues;
  skeleton->rodata->config.filters = options.filters;
  skeleton->rodata->config.protects_host = options.protects_host;
  bpf_map__set_max_entries(skeleton->maps.sockets, options.queues);
  bpf_map__set_max_entries(skeleton->maps.left_to_host, options.queues * kWeirLeftReasons);
  bpf_map__set_max_entries(skeleton->maps.weir_filter_counts, options.queues * WEIR_VERDICTS);
  bpf_map__set_max_entries(skeleton->maps.own_addresses, addresses);
  if (options.pieces) bpf_program__set_flags(skeleton->progs.weir_redirect, BPF_F_XDP_HAS_FRAGS);
  if (const int error = xdp_redirect__load(skeleton); error != 0) return CannotLoad(-error);
  program->protects_host_ = options.protects_host;
  if (auto status = program->Protect(options.own_addresses); !status.ok()) return status;
  return program;
}

absl::Status XdpProgram::ProtectHostAddresses() {
  return protects_host_ ? Protect(HostAddresses()) : absl::OkStatus();
}

absl::Status XdpProgram::Protect(const std::vector<HostAddress>& addresses) {
  for (const HostAddress& address : addresses) {
    static_assert(sizeof address == sizeof(weir_xdp_address));
    if (std::find(own_addresses_.begin(), own_addresses_.end(), address) != own_addresses_.end())
      continue;
    const uint8_t yes = 1;
    if (bpf_map__update_elem(skeleton_->maps.own_addresses, address.data(), address.size(), &yes,
                             sizeof yes, BPF_ANY) != 0) {
      return absl::ErrnoToStatus(errno, "cannot tell the XDP program the host's addresses");
    }
    own_addresses_.push_back(address);
  }
  return absl::OkStatus();
}

XdpProgram::~XdpProgram() {
  link_ = UniqueFd();
  xdp_redirect__destroy(skeleton_);
}

absl::Status XdpProgram::SetSocket(uint32_t queue, int socket_fd) {
  if (bpf_map__update_elem(skeleton_->maps.sockets, &queue, sizeof queue, &socket_fd,
                           sizeof socket_fd, BPF_ANY) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, "the XDP program does not take the socket");
}

absl::Status XdpProgram::RemoveSocket(uint32_t queue) {
  if (bpf_map__delete_elem(skeleton_->maps.sockets, &queue, sizeof queue, 0) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno, "the XDP program does not let go of the socket");
}

uint32_t XdpProgram::Id() const {
  bpf_prog_info info{};
  uint32_t length = sizeof info;
  const int program = bpf_program__fd(skeleton_->progs.weir_redirect);
  return bpf_obj_get_info_by_fd(program, &info, &length) == 0 ? info.id : 0;
}

absl::Status XdpProgram::Attach(const NetworkInterface& interface, bool generic) {
  if (auto status = CheckNoProgram(interface); !status.ok()) return status;
  bpf_link_create_opts options{};
  options.sz = sizeof options;
  options.flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
  const int program = bpf_program__fd(skeleton_->progs.weir_redirect);
  const absl::Time until = absl::Now() + kPatience;
  int link = bpf_link_create(program, interface.index, BPF_XDP, &options);
  while (link == -EBUSY && absl::Now() < until) {
    absl::SleepFor(kPause);
    link = bpf_link_create(program, interface.index, BPF_XDP, &options);
  }
  if (link < 0) {
    if (auto status = CheckNoProgram(interface); !status.ok()) return status;
    return CannotAttach(-link, interface, generic);
  }
  link_ = UniqueFd(link);
  const std::optional<AttachedXdp> attached = FindAttachedXdp(interface.index);
  if (attached && attached->id == Id() && attached->generic == generic) return absl::OkStatus();
  return absl::InternalError(absl::StrFormat(
      "%s: the kernel took the XDP program but does not report it where it was attached",
      interface.name));
}

int XdpProgram::rules_map() const { return bpf_map__fd(skeleton_->maps.weir_rules); }

FilterCounts XdpProgram::Filtered(uint32_t queue) const {
  const auto counts =
      ReadFilterCounts(bpf_map__fd(skeleton_->maps.weir_filter_counts), queue * WEIR_VERDICTS);
  return counts.ok() ? *counts : FilterCounts{};
}

LeftToHost XdpProgram::Left(uint32_t queue) const {
  LeftToHost left{};
  std::vector<uint64_t> by_processor(static_cast<size_t>(libbpf_num_possible_cpus()));
  for (uint32_t reason = 0; reason < kWeirLeftReasons; ++reason) {
    const uint32_t key = queue * kWeirLeftReasons + reason;
    if (bpf_map__lookup_elem(skeleton_->maps.left_to_host, &key, sizeof key, by_processor.data(),
                             by_processor.size() * sizeof(uint64_t), 0) != 0) {
      continue;
    }
    for (const uint64_t count : by_processor) left[reason] += count;
  }
  return left;
}

}  // namespace weir

#include "rings/xdp_group.h"

#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "rings/host_use.h"
#include "rings/kernel_rules.h"
#include "rings/xdp_socket.h"

namespace weir {
namespace {

constexpr uint32_t kSmallChunk = 2048, kLargeChunk = 4096;
constexpr uint32_t kLinkHeader = 14 + 2 * 4;  // Ethernet, two tags

// One frame of the interface's MTU in one chunk, where a chunk can be so large.
uint32_t ChunkFor(uint32_t mtu) {
  return mtu + kLinkHeader + kXdpHeadroom <= kSmallChunk ? kSmallChunk : kLargeChunk;
}

// What the options come to on this interface.
struct Plan {
  NetworkInterface interface;
  XdpProgramOptions program;
  std::shared_ptr<const FilterRules> rules;
  XdpSocketOptions socket;
  bool generic = false;
};

absl::StatusOr<Plan> MakePlan(const XdpGroupOptions& options, int count,
                              std::vector<std::string>& notes) {
  Plan plan;
  const auto interface = FindInterface(options.interface);
  if (!interface.ok()) return interface.status();
  plan.interface = *interface;
  const LinkLayer link = LinkLayerOf(interface->hardware_type);
  if (link.cooked || link.link_type != link_type::kEthernet) {
    return absl::UnimplementedError(
        absl::StrCat(options.interface, " has no Ethernet frames, and AF_XDP takes no others"));
  }
  if (options.snap_length == 0) {
    return absl::InvalidArgumentError("snap length of 0 bytes: --snaplen must be at least 1");
  }
  plan.program.queues = static_cast<uint32_t>(ReceiveQueues(options.interface));
  if (count < 1 || static_cast<uint32_t>(count) > plan.program.queues) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s has %u receive queue%s, and AF_XDP has no more shards than queues: --shards 1 to %u, "
        "or more queues: ethtool -L %s combined %d",
        options.interface, plan.program.queues, plan.program.queues == 1 ? "" : "s",
        plan.program.queues, options.interface, count));
  }
  const auto host = WhyHostNeeds(*interface);
  if (!host.ok()) return host.status();
  if (!host->empty()) {
    plan.program.protects_host = true;
    plan.program.own_addresses = HostAddresses();
    notes.push_back(absl::StrFormat(
        "%s %s: frames to the host's own addresses, ARP, neighbour discovery, DHCP and what is "
        "not IP stay with the host and are not seen (counted as left_to_host); all others are "
        "taken away from it",
        options.interface, *host));
  }
  if (TakesVlanTags(options.interface)) {
    notes.push_back(absl::StrFormat(
        "%s takes VLAN tags out of frames, and AF_XDP does not see them: ethtool -K %s rxvlan off",
        options.interface, options.interface));
  }
  plan.rules = options.rules;
  plan.program.filters = options.rules != nullptr;
  plan.generic = options.mode == XdpMode::kGeneric;
  plan.socket.interface = options.interface;
  plan.socket.ring_bytes = options.ring_bytes;
  plan.socket.chunk_bytes = ChunkFor(MtuOf(options.interface));
  plan.socket.zero_copy = options.mode == XdpMode::kZeroCopy;
  plan.socket.busy_poll_us = options.busy_poll_us;
  plan.socket.busy_poll_budget = options.busy_poll_budget;
  return plan;
}

// The rules of a program.
class XdpFilter final : public KernelFilter {
 public:
  XdpFilter(KernelRules rules, std::shared_ptr<XdpProgram> program)
      : rules_(std::move(rules)), program_(std::move(program)) {}

  absl::Status Use(std::shared_ptr<const FilterRules> rules) override {
    const std::lock_guard lock(mutex_);
    const int map = program_->rules_map();
    return rules_.Use(*rules, {&map, 1});
  }
  FilterRung rung() const override { return FilterRung::kEbpf; }

 private:
  std::mutex mutex_;
  KernelRules rules_;  // guarded by mutex_
  std::shared_ptr<XdpProgram> program_;
};

absl::StatusOr<std::shared_ptr<KernelFilter>> MakeFilter(
    const std::shared_ptr<const FilterRules>& rules, std::shared_ptr<XdpProgram> program) {
  auto kernel = KernelRules::Create();
  if (!kernel.ok()) return kernel.status();
  auto filter = std::make_shared<XdpFilter>(*std::move(kernel), std::move(program));
  if (auto status = filter->Use(rules); !status.ok()) return status;
  return filter;
}

struct Opened {
  std::shared_ptr<XdpProgram> program;
  std::shared_ptr<KernelFilter> filter;  // null without rules
  std::vector<std::unique_ptr<XdpSocket>> sockets;
};

// Program, sockets, attachment, in this order: the first frame finds its socket.
absl::StatusOr<Opened> OpenAll(Plan plan, bool pieces) {
  Opened opened;
  plan.program.pieces = plan.socket.pieces = pieces;
  auto program = XdpProgram::Load(plan.program);
  if (!program.ok()) return program.status();
  opened.program = *std::move(program);
  if (plan.rules != nullptr) {
    auto filter = MakeFilter(plan.rules, opened.program);
    if (!filter.ok()) return filter.status();
    opened.filter = *std::move(filter);
  }
  for (uint32_t queue = 0; queue < plan.program.queues; ++queue) {
    plan.socket.queue = queue;
    auto socket = XdpSocket::Open(plan.socket);
    if (!socket.ok()) return socket.status();
    if ((*socket)->zero_copy() != plan.socket.zero_copy) {
      return absl::InternalError(absl::StrCat(
          plan.interface.name, ": the kernel reports another mode than the one asked for"));
    }
    if (auto status = opened.program->SetSocket(queue, (*socket)->fd()); !status.ok())
      return status;
    opened.sockets.push_back(*std::move(socket));
  }
  if (auto status = opened.program->Attach(plan.interface, plan.generic); !status.ok())
    return status;
  return opened;
}

// Older kernels, and some drivers without a copy, take a frame in one piece only.
absl::StatusOr<Opened> OpenAsPossible(const Plan& plan, std::vector<std::string>& notes) {
  auto opened = OpenAll(plan, true);
  if (opened.ok() || absl::IsPermissionDenied(opened.status())) return opened;
  if (auto status = CheckNoProgram(plan.interface); !status.ok()) return status;
  auto in_one = OpenAll(plan, false);
  if (!in_one.ok()) return opened.status();
  notes.push_back(
      absl::StrFormat("frames longer than %u bytes are dropped: %s takes none in several pieces",
                      plan.socket.chunk_bytes - kXdpHeadroom, plan.interface.name));
  return in_one;
}

}  // namespace

absl::StatusOr<XdpGroup> OpenXdpGroup(const XdpGroupOptions& options, int count) {
  XdpGroup group;
  const auto plan = MakePlan(options, count, group.notes);
  if (!plan.ok()) return plan.status();
  if (auto status = CheckNoProgram(plan->interface); !status.ok()) return status;
  auto opened = OpenAsPossible(*plan, group.notes);
  if (!opened.ok()) return opened.status();
  group.filters = opened->filter;
  const auto sources = static_cast<size_t>(count);
  for (size_t first = 0; first < sources; ++first) {
    XdpSource::Parts parts = {.interface = plan->interface,
                              .program = opened->program,
                              .snap_length = options.snap_length,
                              .promiscuous = options.promiscuous,
                              .counts_missed = first == 0};
    for (size_t queue = first; queue < opened->sockets.size(); queue += sources) {
      parts.sockets.push_back(std::move(opened->sockets[queue]));
    }
    auto source = XdpSource::Create(std::move(parts), &group.notes);
    if (!source.ok()) return source.status();
    group.sources.push_back(*std::move(source));
  }
  if (!plan->interface.up)
    group.notes.push_back(absl::StrCat(options.interface, " is down: waiting for it"));
  return group;
}

}  // namespace weir

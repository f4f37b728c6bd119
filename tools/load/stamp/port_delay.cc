#include "tools/load/stamp/port_delay.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "rings/clock.h"
#include "rings/network_interface.h"
#include "rings/packet_socket.h"
#include "tools/load/traffic/payload.h"

namespace weir::load {
namespace {

constexpr int kQueueBytes = 16 << 20;  // of each socket: some ten thousand probes

// Only probes: both halves of the mark stand where they should, as BPF reads them, big-endian.
absl::Status TakeProbesOnly(int fd) {
  std::array<uint32_t, 2> mark;
  std::memcpy(mark.data(), &kProbeMark, sizeof mark);
  std::array<sock_filter, 6> code = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kProbeOffset),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(mark[0]), 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kProbeOffset + 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(mark[1]), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, kProbeFrameBytes),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog program = {code.size(), code.data()};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0)
    return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "the kernel does not take the filter of probes");
}

// `record`: what makes the stamps; `report`: which of them are told.
absl::Status AskForStamps(int fd, int record, int report) {
  const int flags = record | report;
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) != 0)
    return absl::ErrnoToStatus(errno, "the kernel gives no time stamps");
  // Less than asked for is no error.
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kQueueBytes, sizeof kQueueBytes) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kQueueBytes, sizeof kQueueBytes);
  return absl::OkStatus();
}

void Read(int fd, int flags, std::vector<ProbeStamp>& stamps) {
  for (;;) {
    std::array<uint8_t, 256> frame;
    alignas(cmsghdr) std::array<char, 512> control;
    iovec place = {frame.data(), frame.size()};
    msghdr message{};
    message.msg_iov = &place;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t bytes = recvmsg(fd, &message, flags | MSG_DONTWAIT);
    if (bytes < 0) return;
    const auto stamp = ReadStamp(message, {frame.data(), static_cast<size_t>(bytes)});
    if (stamp && stamps.size() < stamps.capacity()) stamps.push_back(*stamp);
  }
}

}  // namespace

absl::Status CheckClock(const PortDelayOptions& options) {
  const auto sender = AskClock(options.sender);
  if (!sender.ok()) return sender.status();
  const auto listener = AskClock(options.listener);
  if (!listener.ok()) return listener.status();
  const std::string why = options.clock == StampClock::kHardware
                              ? WhyNotHardware(*sender, *listener, options.clocks_agree)
                              : WhyNotKernel(*sender);
  return why.empty() ? absl::OkStatus() : absl::FailedPreconditionError(why);
}

ClockChoice BestClock(PortDelayOptions options) {
  ClockChoice best;
  for (const StampClock clock : {StampClock::kHardware, StampClock::kKernel}) {
    options.clock = clock;
    const absl::Status status = CheckClock(options);
    if (status.ok()) {
      best.clock = clock;
      break;
    }
    best.refusals.push_back(absl::StrCat("no ", NameOf(clock), " time stamps: ", status.message()));
  }
  return best;
}

absl::StatusOr<std::unique_ptr<PortDelay>> PortDelay::Open(const PortDelayOptions& options) {
  if (auto status = CheckClock(options); !status.ok()) return status;
  const bool hardware = options.clock == StampClock::kHardware;
  auto delay = std::unique_ptr<PortDelay>(new PortDelay(options));
  if (hardware) {
    for (const std::string& port : {options.sender, options.listener}) {
      if (port == options.sender && !delay->switched_on_.empty()) continue;
      auto on = HardwareStamping::SwitchOn(port);
      if (!on.ok()) return on.status();
      delay->switched_on_.push_back(*std::move(on));
    }
  }
  delay->sent_.reserve(options.most_probes);
  delay->received_.reserve(2 * options.most_probes);  // copies made on the way are probes, too
  if (auto status = delay->OpenListener(); !status.ok()) return status;
  if (auto status = delay->OpenSender(); !status.ok()) return status;
  return delay;
}

absl::Status PortDelay::OpenSender() {
  const auto interface = FindInterface(options_.sender);
  if (!interface.ok()) return interface.status();
  auto fd = OpenPacketSocket(/*cooked=*/false);
  if (!fd.ok()) return fd.status();
  sockaddr_ll address{};  // no protocol: it receives nothing
  address.sll_family = AF_PACKET;
  address.sll_ifindex = interface->index;
  if (bind(fd->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot send on ", options_.sender));
  sender_ = *std::move(fd);
  return options_.clock == StampClock::kHardware
             ? AskForStamps(sender_.get(), SOF_TIMESTAMPING_TX_HARDWARE,
                            SOF_TIMESTAMPING_RAW_HARDWARE)
             : AskForStamps(sender_.get(), SOF_TIMESTAMPING_TX_SOFTWARE, SOF_TIMESTAMPING_SOFTWARE);
}

absl::Status PortDelay::OpenListener() {
  const auto interface = FindInterface(options_.listener);
  if (!interface.ok()) return interface.status();
  auto fd = OpenPacketSocket(/*cooked=*/false);
  if (!fd.ok()) return fd.status();
  listener_ = *std::move(fd);
  if (auto status = TakeProbesOnly(listener_.get()); !status.ok()) return status;
  if (auto status = IgnoreOutgoing(listener_.get()); !status.ok()) return status;
  auto status =
      options_.clock == StampClock::kHardware
          ? AskForStamps(listener_.get(), SOF_TIMESTAMPING_RX_HARDWARE,
                         SOF_TIMESTAMPING_RAW_HARDWARE)
          : AskForStamps(listener_.get(), SOF_TIMESTAMPING_RX_SOFTWARE, SOF_TIMESTAMPING_SOFTWARE);
  if (status.ok()) status = JoinPromiscuous(listener_.get(), interface->index);
  return status.ok() ? BindPacketSocket(listener_.get(), *interface) : status;
}

absl::Status PortDelay::Send(std::span<const uint8_t> frame) {
  constexpr int64_t kPatienceNs = 2'000'000'000;
  const int64_t until = ReadClockNs(CLOCK_MONOTONIC) + kPatienceNs;
  while (send(sender_.get(), frame.data(), frame.size(), 0) < 0) {
    const bool full = errno == ENOBUFS || errno == EAGAIN || errno == EINTR;
    if (!full || ReadClockNs(CLOCK_MONOTONIC) > until)
      return absl::ErrnoToStatus(errno, absl::StrCat(options_.sender, " does not take a probe"));
    poll(nullptr, 0, 1);
  }
  return absl::OkStatus();
}

void PortDelay::Collect() {
  Read(sender_.get(), MSG_ERRQUEUE, sent_);
  Read(listener_.get(), 0, received_);
}

PortDelays PortDelay::Take() {
  Collect();
  return PairStamps(std::exchange(sent_, {}), std::exchange(received_, {}), options_.clock);
}

}  // namespace weir::load

#include "rings/xdp_source.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "rings/clock.h"
#include "rings/packet_socket.h"
#include "rings/socket_filter.h"
#include "rings/xdp_socket.h"

namespace weir {
namespace {

// A socket that tells of the interface's state (ENETDOWN) and asks for promiscuous mode, and takes
// no frame: its EtherType is nobody's, and its filter refuses everything.
absl::StatusOr<UniqueFd> OpenWatchSocket(const NetworkInterface& interface) {
  constexpr uint16_t kReservedType = 0xffff;  // RFC 7042, appendix B.1
  auto fd = OpenPacketSocket(false);
  if (!fd.ok()) return fd;
  if (auto status = RefuseAll(fd->get()); !status.ok()) return status;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(kReservedType);
  address.sll_ifindex = interface.index;
  if (bind(fd->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot watch ", interface.name));
}

}  // namespace

absl::StatusOr<std::unique_ptr<XdpSource>> XdpSource::Create(Parts parts,
                                                             std::vector<std::string>* notes) {
  auto source = std::unique_ptr<XdpSource>(new XdpSource(std::move(parts)));
  if (auto status = source->Prepare(notes); !status.ok()) return status;
  return source;
}

XdpSource::XdpSource(Parts parts) : parts_(std::move(parts)) {}
XdpSource::~XdpSource() = default;

absl::Status XdpSource::Prepare(std::vector<std::string>* notes) {
  const NetworkInterface& interface = parts_.interface;
  auto packet = OpenWatchSocket(interface);
  if (!packet.ok()) return packet.status();
  packet_ = *std::move(packet);
  auto watch = LinkWatch::Create(packet_.get());
  if (!watch.ok()) return watch.status();
  watch_ = *std::move(watch);
  for (const auto& socket : parts_.sockets) {
    if (auto status = watch_.Include(socket->fd()); !status.ok()) return status;
  }
  auto reader = UmemReader::Create();
  if (!reader.ok()) return reader.status();
  reader_ = *std::move(reader);
  interface_ = {interface.name, link_type::kEthernet, parts_.snap_length};
  missed_seen_ = MissedFrames(interface.name);
  if (parts_.promiscuous) {
    const absl::Status status = JoinPromiscuous(packet_.get(), interface.index);
    if (!status.ok()) notes->push_back(std::string(status.message()));
  }
  return absl::OkStatus();
}

bool XdpSource::ready() const {
  return std::any_of(parts_.sockets.begin(), parts_.sockets.end(),
                     [](const auto& socket) { return socket->rings().ready(); });
}

RingFill XdpSource::Fill() const {
  RingFill fullest;
  for (const auto& socket : parts_.sockets) {
    const RingFill fill = {socket->rings().used(), socket->chunks()};
    if (fullest.units == 0 || fill.used > fullest.used) fullest = fill;
  }
  return fullest;
}

int XdpSource::Receive(std::span<Frame> frames) {
  if (!ready()) [[unlikely]] {
    LookAround();
    return 0;
  }
  const int64_t now = ReadClockNs(CLOCK_REALTIME);
  const size_t sockets = parts_.sockets.size();
  size_t count = 0;
  for (size_t i = 0; i < sockets && count < frames.size(); ++i) {
    XdpSocket& socket = *parts_.sockets[(turn_ + i) % sockets];
    count += reader_.Take(socket.rings(), frames.subspan(count), now, parts_.snap_length);
  }
  turn_ = (turn_ + 1) % sockets;
  received_ += count;
  return static_cast<int>(count);
}

void XdpSource::Release() {
  for (const auto& socket : parts_.sockets) socket->GiveBack();
  reader_.Release();
}

// The ring is empty: time for what costs system calls.
void XdpSource::LookAround() {
  for (const auto& socket : parts_.sockets) socket->BeforeSleep();
  if (closed_) {
    ended_ = ReadClockNs(CLOCK_MONOTONIC) >= quiet_ns_;
    return;
  }
  if (watch_.Look() != LinkWatch::State::kGone) return;
  status_ = absl::UnavailableError(
      absl::StrCat("interface ", interface_.name, " was removed while it was captured"));
  closed_ = ended_ = true;
}

// The program passes frames up from now on; one that it redirected just before may be under way
// until its processor has finished the batch.
bool XdpSource::StopIntake() {
  constexpr int64_t kUnderWayNs = 5'000'000;
  if (closed_) return true;
  for (const auto& socket : parts_.sockets) {
    if (!parts_.program->RemoveSocket(socket->queue()).ok()) return false;
  }
  closed_ = true;
  quiet_ns_ = ReadClockNs(CLOCK_MONOTONIC) + kUnderWayNs;
  return true;
}

void XdpSource::AddKernelCounters(const XdpSocket& socket, SourceCounters& counters) const {
  SourceCounters of_queue;
  if (const auto statistics = socket.Statistics(); statistics.ok()) {
    of_queue.ring_dropped = statistics->rx_dropped + statistics->rx_ring_full;
    of_queue.ring_freezes = statistics->rx_fill_ring_empty_descs;
  }
  const LeftToHost left = parts_.program->Left(socket.queue());
  of_queue.left_to_host = std::accumulate(left.begin(), left.end(), uint64_t{0});
  of_queue.kernel_filtered = parts_.program->Filtered(socket.queue());
  of_queue.nic_missed = 0;  // the device's, not a queue's
  counters.Add(of_queue);
}

SourceCounters XdpSource::Counters() {
  // The host may have got another address (DHCP, privacy extensions).
  if (parts_.counts_missed) parts_.program->ProtectHostAddresses().IgnoreError();
  const std::optional<uint32_t> missed = MissedFrames(interface_.name);
  if (missed.has_value() && missed_seen_.has_value()) missed_ += *missed - *missed_seen_;
  if (missed.has_value()) missed_seen_ = missed;
  SourceCounters counters;
  counters.received = received_;
  counters.ring_dropped = counters.ring_freezes = 0;
  counters.kernel_filtered.emplace();
  if (missed_seen_.has_value()) counters.nic_missed = parts_.counts_missed ? missed_ : 0;
  for (const auto& socket : parts_.sockets) AddKernelCounters(*socket, counters);
  return counters;
}

}  // namespace weir

#include "rings/xdp_source.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "rings/clock.h"
#include "rings/packet_socket.h"
#include "rings/prefetch.h"
#include "rings/socket_filter.h"
#include "rings/xdp_socket.h"

// Newer than the kernel headers that may be installed: linux/if_xdp.h.
#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0)  // NOLINT(modernize-macro-to-enum)
#endif

namespace weir {
namespace {

// GRO's largest datagram with its headers, in whole cache lines; and a batch of jumbo frames.
constexpr size_t kLargestFrame = size_t{66} << 10;
constexpr size_t kTogetherBytes = size_t{2} << 20;
static_assert(kTogetherBytes >= kLargestFrame &&
              kTogetherBytes >= size_t{kBatchFrames} * 16 * 1024);

constexpr uint32_t kMostPieces = 4 * kBatchFrames;  // looked at in one call

bool Continued(const xdp_desc& piece) { return (piece.options & XDP_PKT_CONTD) != 0; }

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
  auto together = HugeMemory::Create(kTogetherBytes, "frames of several pieces");
  if (!together.ok()) return together.status();
  together_ = *std::move(together);
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
                     [](const auto& socket) { return socket->ready(); });
}

RingFill XdpSource::Fill() const {
  RingFill fullest;
  for (const auto& socket : parts_.sockets) {
    const RingFill fill = {socket->used(), socket->chunks()};
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
    count += Take(*parts_.sockets[(turn_ + i) % sockets], frames.subspan(count), now);
  }
  turn_ = (turn_ + 1) % sockets;
  received_ += count;
  return static_cast<int>(count);
}

size_t XdpSource::Take(XdpSocket& socket, std::span<Frame> frames, int64_t now_ns) {
  const uint32_t available = socket.Available(kMostPieces);
  size_t count = 0;
  uint32_t next = 0;
  while (next < available && count < frames.size()) {
    const xdp_desc& piece = socket.Peek(next);
    Frame& frame = frames[count];
    frame = {};
    uint32_t pieces = 1;
    if (Continued(piece)) [[unlikely]] {
      pieces = PutTogether(socket, next, available, frame);
      if (pieces == 0) break;  // the rest is not there yet, or there is no room before Release
    } else {
      frame.data = socket.Bytes(piece);
      frame.wire_length = piece.len;
      // The bytes lie in no order that the processor could guess.
      PrefetchToRead(frame.data);
      PrefetchToRead(frame.data + 64);
    }
    frame.captured_length = std::min(frame.wire_length, parts_.snap_length);
    frame.timestamp_ns = now_ns;
    ++count;
    next += pieces;
  }
  socket.Consume(next);
  return count;
}

// A frame of several pieces becomes one; returns how many they are.
uint32_t XdpSource::PutTogether(const XdpSocket& socket, uint32_t first, uint32_t available,
                                Frame& frame) {
  uint32_t last = first;
  size_t bytes = socket.Peek(first).len;
  while (Continued(socket.Peek(last))) {
    if (++last == available) return 0;
    bytes += socket.Peek(last).len;
  }
  const size_t kept = std::min(bytes, kLargestFrame);
  if (kept > together_.bytes() - together_used_) return 0;
  uint8_t* const start = together_.data() + together_used_;
  size_t copied = 0;
  for (uint32_t i = first; i <= last; ++i) {
    const xdp_desc& piece = socket.Peek(i);
    const size_t part = std::min<size_t>(piece.len, kept - copied);
    std::memcpy(start + copied, socket.Bytes(piece), part);
    copied += part;
  }
  together_used_ += (kept + 63) / 64 * 64;
  together_used_ = std::min(together_used_, together_.bytes());
  frame.data = start;
  frame.wire_length = static_cast<uint32_t>(bytes);
  return last - first + 1;
}

void XdpSource::Release() {
  for (const auto& socket : parts_.sockets) socket->GiveBack();
  together_used_ = 0;
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

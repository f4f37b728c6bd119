#include "tools/load/send/packet_sender.h"

#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_format.h"
#include "rings/clock.h"
#include "rings/packet_socket.h"

namespace weir::load {
namespace {

constexpr uint32_t kSlots = 4096;
static_assert(kSlots > TransmitRing::kMostQueued + 256, "longer than the queues and a batch");
constexpr int64_t kPatienceNs = 2'000'000'000;
constexpr int kPollMs = 1;

absl::Status Stuck(const SendOptions& options) {
  return absl::DeadlineExceededError(
      absl::StrFormat("%s takes no frames: is its link up (ip link show %s)?", options.interface,
                      options.interface));
}

}  // namespace

absl::StatusOr<std::unique_ptr<FrameSender>> PacketSender::Open(const SendOptions& options,
                                                                LinkQuery link,
                                                                int interface_index) {
  auto fd = OpenPacketSocket(/*cooked=*/false);
  if (!fd.ok()) return fd.status();
  auto sender = std::unique_ptr<PacketSender>(new PacketSender(options, std::move(link)));
  auto ring = TransmitRing::Create(fd->get(), options.most_frame_bytes, kSlots);
  if (!ring.ok()) return ring.status();
  // A batch must fit, also where the device holds on to frames; less than asked for is no error.
  const int bytes = 16 << 20;
  if (setsockopt(fd->get(), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0)
    setsockopt(fd->get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  sockaddr_ll address{};  // no protocol: it receives nothing
  address.sll_family = AF_PACKET;
  address.sll_ifindex = interface_index;
  if (bind(fd->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrFormat("cannot send on %s", options.interface));
  }
  sender->fd_ = *std::move(fd);
  sender->ring_ = *std::move(ring);
  return sender;
}

uint8_t* PacketSender::Room(uint32_t length) {
  uint8_t* room = ring_.Room();
  if (room == nullptr) [[unlikely]] {
    room = WaitForRoom();
    if (room == nullptr) return nullptr;
  }
  ring_.Stage(length);
  return room;
}

uint8_t* PacketSender::WaitForRoom() {
  const int64_t until = ReadClockNs(CLOCK_MONOTONIC) + kPatienceNs;
  while (ReadClockNs(CLOCK_MONOTONIC) < until) {
    if (failure_ = Kick(); !failure_.ok()) return nullptr;
    pollfd polled = {fd_.get(), POLLOUT, 0};
    poll(&polled, 1, kPollMs);
    if (uint8_t* const room = ring_.Room(); room != nullptr) return room;
  }
  failure_ = Stuck(options());
  return nullptr;
}

absl::Status PacketSender::Leave(uint32_t frames, const Pacer::Place& place,
                                 std::span<uint8_t* const> probes) {
  if (paced()) WaitUntil(place.due_ns);
  const int64_t first_ns = ReadClockNs(CLOCK_MONOTONIC);
  StampProbes(probes);
  ring_.HandOver();
  auto status = Push();
  Left(frames, first_ns);
  return status;
}

absl::Status PacketSender::Kick() {
  return KickStatus(send(fd_.get(), nullptr, 0, MSG_DONTWAIT), options().interface);
}

absl::Status PacketSender::Push() {
  if (auto status = Kick(); !status.ok() || !ring_.waits()) return status;
  const int64_t until = ReadClockNs(CLOCK_MONOTONIC) + kPatienceNs;
  while (ring_.waits()) {
    pollfd polled = {fd_.get(), POLLOUT, 0};
    poll(&polled, 1, kPollMs);
    if (auto status = Kick(); !status.ok()) return status;
    if (ReadClockNs(CLOCK_MONOTONIC) > until) return Stuck(options());
  }
  return absl::OkStatus();
}

absl::Status PacketSender::WaitForLast() {
  const int64_t until = ReadClockNs(CLOCK_MONOTONIC) + kPatienceNs;
  while (!ring_.empty()) {
    if (ReadClockNs(CLOCK_MONOTONIC) > until) return Stuck(options());
    pollfd polled = {fd_.get(), POLLOUT, 0};
    poll(&polled, 1, kPollMs);
  }
  return absl::OkStatus();
}

}  // namespace weir::load

#include "tools/load/send/xdp_sender.h"

#include <linux/if_xdp.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "rings/clock.h"
#include "rings/silent_libbpf.h"

namespace weir::load {
namespace {

constexpr uint32_t kChunks = 2048;  // also the size of the rings
constexpr uint32_t kLeastChunk = 2048, kMostChunk = 4096;
constexpr int64_t kPatienceNs = 2'000'000'000;
constexpr absl::Duration kBusy = absl::Seconds(3), kPause = absl::Milliseconds(10);

absl::Status Refusal(int error, const SendOptions& options) {
  switch (error) {
    case EPERM:
    case EACCES:
      return absl::PermissionDeniedError("an AF_XDP socket needs CAP_NET_RAW");
    case EBUSY:
      return absl::FailedPreconditionError(absl::StrFormat(
          "%s: another AF_XDP socket has queue %u (ss --xdp -p shows whose): send from another",
          options.interface, options.queue));
    case EINVAL:
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: no AF_XDP socket on queue %u (ethtool -l %s tells how many there "
                          "are)",
                          options.interface, options.queue, options.interface));
    default:
      return absl::ErrnoToStatus(error, absl::StrFormat("%s: no AF_XDP socket", options.interface));
  }
}

}  // namespace

XdpSender::XdpSender(const SendOptions& options, LinkQuery link)
    : BatchSender(options, std::move(link)),
      chunk_bytes_(std::max(kLeastChunk, std::bit_ceil(options.most_frame_bytes))) {
  free_.reserve(kChunks);
  batch_.reserve(options.batch);
}

XdpSender::~XdpSender() {
  if (socket_ != nullptr) xsk_socket__delete(socket_);
  if (umem_ != nullptr) xsk_umem__delete(umem_);
}

absl::StatusOr<std::unique_ptr<FrameSender>> XdpSender::Open(const SendOptions& options,
                                                             LinkQuery link) {
  if (options.most_frame_bytes > kMostChunk) {
    return absl::InvalidArgumentError(
        absl::StrFormat("AF_XDP frames are at most %u bytes long here, not %u", kMostChunk,
                        options.most_frame_bytes));
  }
  auto sender = std::unique_ptr<XdpSender>(new XdpSender(options, std::move(link)));
  if (auto status = sender->Start(); !status.ok()) return status;
  return sender;
}

absl::Status XdpSender::Start() {
  const SilentLibbpf silent;
  const size_t bytes = size_t{kChunks} * chunk_bytes_;
  auto memory = HugeMemory::Create(bytes, "frames to send");
  if (!memory.ok()) return memory.status();
  memory_ = *std::move(memory);
  const xsk_umem_config umem_config = {.fill_size = XSK_RING_PROD__DEFAULT_NUM_DESCS,
                                       .comp_size = kChunks,
                                       .frame_size = chunk_bytes_,
                                       .frame_headroom = 0,
                                       .flags = 0};
  int error = -xsk_umem__create(&umem_, memory_.data(), bytes, &fill_, &completion_, &umem_config);
  if (error != 0) {
    umem_ = nullptr;
    return Refusal(error, options());
  }
  xsk_socket_config config{};
  config.tx_size = kChunks;
  config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
  config.bind_flags = XDP_USE_NEED_WAKEUP;
  // Where another owner has just let go of the queue the kernel says EBUSY for a moment.
  const absl::Time until = absl::Now() + kBusy;
  do {
    error = -xsk_socket__create(&socket_, options().interface.c_str(), options().queue, umem_,
                                nullptr, &transmit_, &config);
    if (error == EBUSY) absl::SleepFor(kPause);
  } while (error == EBUSY && absl::Now() < until);
  if (error != 0) {
    socket_ = nullptr;
    return Refusal(error, options());
  }
  for (uint32_t i = 0; i < kChunks; ++i) free_.push_back(uint64_t{i} * chunk_bytes_);
  return absl::OkStatus();
}

uint8_t* XdpSender::Room(uint32_t length) {
  if (free_.empty()) [[unlikely]] {
    if (failure_ = WaitUntilFree(1); !failure_.ok()) return nullptr;
  }
  batch_.push_back({free_.back(), length, 0});
  free_.pop_back();
  return memory_.data() + batch_.back().addr;
}

absl::Status XdpSender::Leave(uint32_t frames, const Pacer::Place& place,
                              std::span<uint8_t* const> probes) {
  if (paced()) WaitUntil(place.due_ns);
  const int64_t first_ns = ReadClockNs(CLOCK_MONOTONIC);
  StampProbes(probes);
  uint32_t at = 0;
  if (xsk_ring_prod__reserve(&transmit_, frames, &at) != frames)
    return absl::InternalError("the transmit ring has room for all chunks, and has not");
  for (uint32_t i = 0; i < frames; ++i) *xsk_ring_prod__tx_desc(&transmit_, at + i) = batch_[i];
  batch_.clear();
  xsk_ring_prod__submit(&transmit_, frames);
  auto status = Push();
  Left(frames, first_ns);
  return status;
}

void XdpSender::TakeBack() {
  uint32_t at = 0;
  const uint32_t count = xsk_ring_cons__peek(&completion_, kChunks, &at);
  for (uint32_t i = 0; i < count; ++i)
    free_.push_back(*xsk_ring_cons__comp_addr(&completion_, at + i));
  xsk_ring_cons__release(&completion_, count);
}

// The kernel copies some 32 frames a call; a driver is told once.
absl::Status XdpSender::Kick() {
  if (!xsk_ring_prod__needs_wakeup(&transmit_)) return absl::OkStatus();
  return KickStatus(sendto(xsk_socket__fd(socket_), nullptr, 0, MSG_DONTWAIT, nullptr, 0),
                    options().interface);
}

template <typename Done>
absl::Status XdpSender::KickUntil(const Done& done) {
  const int64_t until = ReadClockNs(CLOCK_MONOTONIC) + kPatienceNs;
  for (;;) {
    if (auto status = Kick(); !status.ok()) return status;
    TakeBack();
    if (done()) return absl::OkStatus();
    if (ReadClockNs(CLOCK_MONOTONIC) > until) {
      return absl::DeadlineExceededError(
          absl::StrFormat("%s takes no frames: is its link up (ip link show %s)?",
                          options().interface, options().interface));
    }
  }
}

absl::Status XdpSender::Push() {
  return KickUntil([this] { return xsk_prod_nb_free(&transmit_, kChunks) == kChunks; });
}

absl::Status XdpSender::WaitUntilFree(uint32_t chunks) {
  return KickUntil([this, chunks] { return free_.size() >= chunks; });
}

absl::Status XdpSender::WaitForLast() { return WaitUntilFree(kChunks); }

}  // namespace weir::load

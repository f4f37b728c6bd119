#include "rings/xdp_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

// Newer than the kernel headers that may be installed: linux/if_xdp.h, asm-generic/socket.h.
#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)  // NOLINT(modernize-macro-to-enum)
#endif

namespace weir {
namespace {

constexpr uint32_t kFewestChunks = 128;
constexpr uint32_t kMostChunks = 1u << 22;
constexpr uint32_t kCompletionSize = 64;

absl::Status Refusal(int error, const XdpSocketOptions& options) {
  const std::string where = absl::StrFormat("%s, queue %u", options.interface, options.queue);
  switch (error) {
    case EPERM:
    case EACCES:
      return absl::PermissionDeniedError(
          "cannot open an AF_XDP socket: needs CAP_NET_RAW (sudo, or once: setcap "
          "cap_net_raw,cap_net_admin,cap_bpf+ep weir)");
    case ENOBUFS:
      return absl::ResourceExhaustedError(absl::StrFormat(
          "cannot lock %u MiB for %s: raise ulimit -l, or setcap "
          "cap_net_raw,cap_net_admin,cap_bpf,cap_ipc_lock+ep weir, or make --ring-mib smaller",
          options.ring_bytes >> 20, where));
    case EBUSY:
      return absl::FailedPreconditionError(absl::StrFormat(
          "%s: another AF_XDP socket receives there (ss --xdp -p shows whose): end it first",
          where));
    case EAFNOSUPPORT:
      return absl::UnimplementedError("the kernel has no AF_XDP (CONFIG_XDP_SOCKETS)");
    case EOPNOTSUPP:
      return absl::UnimplementedError(absl::StrFormat("%s: the driver has no AF_XDP %s", where,
                                                      options.zero_copy ? "zero-copy" : "here"));
    default:
      return absl::ErrnoToStatus(error, absl::StrFormat("%s: no AF_XDP socket", where));
  }
}

absl::StatusOr<uint32_t> ChunksFor(const XdpSocketOptions& options) {
  const size_t chunks = options.ring_bytes / options.chunk_bytes;
  if (chunks >= kFewestChunks && chunks <= kMostChunks) return static_cast<uint32_t>(chunks);
  return absl::InvalidArgumentError(
      absl::StrFormat("ring of %u KiB: --ring-mib must give from %u to %u frames of %u bytes",
                      options.ring_bytes >> 10, kFewestChunks, kMostChunks, options.chunk_bytes));
}

void BusyPoll(int fd, const XdpSocketOptions& options) {
  if (options.busy_poll_us == 0) return;
  const int prefer = 1, budget = static_cast<int>(options.busy_poll_budget),
            microseconds = static_cast<int>(options.busy_poll_us);
  setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &prefer, sizeof prefer);
  setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof budget);
  setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &microseconds, sizeof microseconds);
}

}  // namespace

absl::StatusOr<std::unique_ptr<XdpSocket>> XdpSocket::Open(const XdpSocketOptions& options) {
  constexpr absl::Duration kPatience = absl::Seconds(3), kPause = absl::Milliseconds(10);
  const auto chunks = ChunksFor(options);
  if (!chunks.ok()) return chunks.status();
  auto socket = std::unique_ptr<XdpSocket>(new XdpSocket(options));
  socket->chunks_ = *chunks;
  auto memory = HugeMemory::Create(size_t{*chunks} * options.chunk_bytes, "frames (--ring-mib)");
  if (!memory.ok()) return memory.status();
  socket->memory_ = *std::move(memory);
  const absl::Time until = absl::Now() + kPatience;
  int error = socket->Start();
  while (error == EBUSY && absl::Now() < until) {
    absl::SleepFor(kPause);
    error = socket->Start();
  }
  if (error != 0) return Refusal(error, options);
  return socket;
}

int XdpSocket::Start() {
  rings_ = {.memory = memory_.data()};
  const uint32_t ring_size = std::bit_ceil(chunks_);
  const xsk_umem_config umem_config = {.fill_size = ring_size,
                                       .comp_size = kCompletionSize,
                                       .frame_size = options_.chunk_bytes,
                                       .frame_headroom = 0,
                                       .flags = 0};
  const uint64_t bytes = uint64_t{chunks_} * options_.chunk_bytes;
  int error =
      -xsk_umem__create(&umem_, memory_.data(), bytes, &rings_.fill, &completion_, &umem_config);
  if (error != 0) {
    umem_ = nullptr;
    return error;
  }
  // Before the socket is bound: a driver takes its first chunks then.
  rings_.FillAll(chunks_, options_.chunk_bytes);

  xsk_socket_config config{};
  config.rx_size = ring_size;
  config.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD;
  config.bind_flags =
      static_cast<uint16_t>(XDP_USE_NEED_WAKEUP | (options_.zero_copy ? XDP_ZEROCOPY : XDP_COPY) |
                            (options_.pieces ? XDP_USE_SG : 0));
  error = -xsk_socket__create(&socket_, options_.interface.c_str(), options_.queue, umem_,
                              &rings_.receive, nullptr, &config);
  if (error != 0) {
    socket_ = nullptr;
    End();
    return error;
  }
  BusyPoll(fd(), options_);
  xdp_options reported{};
  socklen_t length = sizeof reported;
  if (getsockopt(fd(), SOL_XDP, XDP_OPTIONS, &reported, &length) == 0) {
    zero_copy_ = (reported.flags & XDP_OPTIONS_ZEROCOPY) != 0;
  }
  return 0;
}

void XdpSocket::End() {
  if (socket_ != nullptr) xsk_socket__delete(socket_);
  socket_ = nullptr;
  if (umem_ != nullptr) xsk_umem__delete(umem_);
  umem_ = nullptr;
}

XdpSocket::~XdpSocket() { End(); }

// recvfrom(2) without a buffer: lets the driver run, and polls the device where that is on.
void XdpSocket::Kick() const { recvfrom(fd(), nullptr, 0, MSG_DONTWAIT, nullptr, nullptr); }

// The thread sanitizer does not follow fences, and GCC says so. The other side is the kernel, which
// it does not see anyway.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
void XdpSocket::BeforeSleep() {
  // The fill ring's index must be visible before the flag is read: a driver that found the ring
  // empty sets the flag, and does not look again.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (options_.busy_poll_us > 0 || xsk_ring_prod__needs_wakeup(&rings_.fill)) Kick();
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

absl::StatusOr<xdp_statistics> XdpSocket::Statistics() const {
  xdp_statistics statistics{};
  socklen_t length = sizeof statistics;
  if (getsockopt(fd(), SOL_XDP, XDP_STATISTICS, &statistics, &length) == 0) return statistics;
  return absl::ErrnoToStatus(errno, "no XDP_STATISTICS");
}

}  // namespace weir

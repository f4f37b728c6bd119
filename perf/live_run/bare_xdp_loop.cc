#include "perf/live_run/bare_xdp_loop.h"

#include <poll.h>

#include "rings/network_interface.h"
#include "rings/xdp_program.h"
#include "rings/xdp_socket.h"
#include "tests/support/live_frame_sender.h"

namespace weir::perf {

absl::StatusOr<std::unique_ptr<BareXdpLoop>> BareXdpLoop::Open(const test::VethPair& pair,
                                                               const RunOptions& run) {
  constexpr uint32_t kChunkBytes = 2048;  // as OpenXdpGroup takes it for an MTU of 1500
  const auto scope = pair.far().Enter();
  auto loop = std::unique_ptr<BareXdpLoop>(new BareXdpLoop);
  auto program = XdpProgram::Load({});
  if (!program.ok()) return program.status();
  loop->program_ = *std::move(program);
  auto socket = XdpSocket::Open({.interface = test::VethPair::kFar,
                                 .ring_bytes = size_t{run.ring_mib} << 20,
                                 .chunk_bytes = kChunkBytes});
  if (!socket.ok()) return socket.status();
  loop->socket_ = *std::move(socket);
  if (auto status = loop->program_->SetSocket(0, loop->socket_->fd()); !status.ok()) return status;
  const auto interface = FindInterface(test::VethPair::kFar);
  if (!interface.ok()) return interface.status();
  if (auto status = loop->program_->Attach(*interface, run.backend == "xdp-generic");
      !status.ok()) {
    return status;
  }
  return loop;
}

BareXdpLoop::~BareXdpLoop() = default;

void BareXdpLoop::Run(int processor) {
  constexpr uint32_t kBatch = 64;
  constexpr int kPatienceMs = 20;
  test::PinToProcessor(processor);
  const double start = ThreadSeconds();
  UmemRings& rings = socket_->rings();
  uint64_t sum = 0;
  for (;;) {
    const uint32_t count = rings.Available(kBatch);
    if (count == 0) {
      pollfd polled = {socket_->fd(), POLLIN, 0};
      if (poll(&polled, 1, kPatienceMs) == 0 && stop_) break;
      continue;
    }
    for (uint32_t i = 0; i < count; ++i) sum += *rings.Bytes(rings.Peek(i));
    rings.Consume(count);
    socket_->GiveBack();
  }
  asm volatile("" : : "r"(sum));
  thread_seconds_ = ThreadSeconds() - start;
}

uint64_t BareXdpLoop::dropped() const {
  const auto statistics = socket_->Statistics();
  return statistics.ok() ? statistics->rx_dropped + statistics->rx_ring_full : 0;
}

}  // namespace weir::perf

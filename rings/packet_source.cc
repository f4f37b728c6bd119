#include "rings/packet_source.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "rings/clock.h"
#include "rings/packet_socket.h"

namespace weir {
namespace {

constexpr int64_t kNanosecondsPerMillisecond = 1'000'000;
constexpr uint32_t kKernelDefaultRetireMs = 8;  // DEFAULT_PRB_RETIRE_TOV of af_packet.c

}  // namespace

absl::StatusOr<std::unique_ptr<PacketSource>> PacketSource::Open(
    const PacketSourceOptions& options) {
  auto source = std::unique_ptr<PacketSource>(new PacketSource);
  if (auto status = source->Prepare(options); !status.ok()) return status;
  if (auto status = source->Begin(); !status.ok()) return status;
  return source;
}

PacketSource::~PacketSource() {
  if (filters_ != nullptr) filters_->Leave(socket_.get());
}

absl::Status PacketSource::Prepare(const PacketSourceOptions& options) {
  if (auto status = CheckGeometry(options.ring); !status.ok()) return status;
  if (options.snap_length == 0) {
    return absl::InvalidArgumentError("snap length of 0 bytes: --snaplen must be at least 1");
  }
  const auto interface = FindInterface(options.interface);
  if (!interface.ok()) return interface.status();
  const LinkLayer link = LinkLayerOf(interface->hardware_type);
  auto fd = OpenPacketSocket(link.cooked);
  if (!fd.ok()) return fd.status();
  socket_ = *std::move(fd);
  if (auto status = PrepareFilters(options, *interface); !status.ok()) return status;
  if (auto status = UseBlocks(socket_.get()); !status.ok()) return status;
  if (options.hardware_timestamps) {
    const absl::Status status = UseHardwareTimestamps(socket_.get(), interface->name);
    if (!status.ok()) {
      notes_.push_back(absl::StrCat(status.message(), ": time stamps are the kernel's"));
    }
  }
  auto memory = PacketRing::Create(socket_.get(), options.ring, &notes_);
  if (!memory.ok()) return memory.status();
  memory_ = *std::move(memory);
  ring_ = BlockRing(memory_.memory(), memory_.block_bytes(), memory_.block_count());
  auto watch = LinkWatch::Create(socket_.get());
  if (!watch.ok()) return watch.status();
  watch_ = *std::move(watch);

  interface_ = {interface->name, link.link_type, options.snap_length};
  defaults_.link_type = link.link_type;
  const uint32_t retire_ms =
      options.ring.retire_ms != 0 ? options.ring.retire_ms : kKernelDefaultRetireMs;
  hold_back_ns_ = retire_ms * kNanosecondsPerMillisecond;
  missed_seen_ = MissedFrames(interface->name);
  if (auto status = BindPacketSocket(socket_.get(), *interface); !status.ok()) return status;
  if (options.promiscuous) {
    const absl::Status status = JoinPromiscuous(socket_.get(), interface->index);
    if (!status.ok()) notes_.push_back(std::string(status.message()));
  }
  if (!interface->up) notes_.push_back(absl::StrCat(interface->name, " is down: waiting for it"));
  return absl::OkStatus();
}

absl::Status PacketSource::PrepareFilters(const PacketSourceOptions& options,
                                          const NetworkInterface& interface) {
  if (options.direction == CaptureDirection::kIn) {
    if (auto status = IgnoreOutgoing(socket_.get()); !status.ok()) return status;
  }
  absl::StatusOr<std::shared_ptr<SocketFilters>> made = options.filters;
  if (*made == nullptr) made = SocketFilters::Create(options, interface);
  if (!made.ok()) return made.status();
  filters_ = *std::move(made);
  return filters_->Prepare(socket_.get());
}

int PacketSource::Receive(std::span<Frame> frames) {
  const int count = ring_.Receive(frames, defaults_);
  received_ += static_cast<uint64_t>(count);
  if (count == 0) [[unlikely]]
    LookAround();
  return count;
}

// The ring is empty: time for what costs system calls.
void PacketSource::LookAround() {
  if (!closed_) {
    if (watch_.Look() != LinkWatch::State::kGone) return;
    status_ = absl::UnavailableError(
        absl::StrCat("interface ", interface_.name, " was removed while it was captured"));
    Close();
  }
  ReadKernelCounters();
  expected_ = ReadClockNs(CLOCK_MONOTONIC) < give_up_ns_ ? accepted_ : received_;
}

// The last frames may lie in a block that is not retired yet.
void PacketSource::Close() {
  constexpr int64_t kGraceNs = 100 * kNanosecondsPerMillisecond;
  closed_ = true;
  expected_ = UINT64_MAX;
  give_up_ns_ = ReadClockNs(CLOCK_MONOTONIC) + hold_back_ns_ + kGraceNs;
}

bool PacketSource::StopIntake() {
  if (closed_) return true;
  if (!filters_->Refuse(socket_.get()).ok()) return false;
  Close();
  return true;
}

// Reading resets the kernel's counters; its tp_packets includes tp_drops.
void PacketSource::ReadKernelCounters() {
  tpacket_stats_v3 stats{};
  socklen_t length = sizeof stats;
  if (getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &length) != 0) return;
  accepted_ += stats.tp_packets - stats.tp_drops;
  dropped_ += stats.tp_drops;
  freezes_ += stats.tp_freeze_q_cnt;
}

SourceCounters PacketSource::Counters() {
  ReadKernelCounters();
  const std::optional<uint32_t> missed = MissedFrames(interface_.name);
  if (missed.has_value() && missed_seen_.has_value()) missed_ += *missed - *missed_seen_;
  if (missed.has_value()) missed_seen_ = missed;
  SourceCounters counters;
  counters.received = received_;
  counters.ring_dropped = dropped_;
  counters.ring_freezes = freezes_;
  counters.kernel_filtered = filters_->Counts(socket_.get());
  if (missed_seen_.has_value()) counters.nic_missed = counts_missed_ ? missed_ : 0;
  counters.broken_blocks = ring_.broken_blocks();
  return counters;
}

}  // namespace weir

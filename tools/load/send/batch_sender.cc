#include "tools/load/send/batch_sender.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "rings/clock.h"
#include "tools/load/send/probe.h"
#include "tools/load/stamp/port_delay.h"

namespace weir::load {
namespace {

constexpr uint32_t kEthernetHeader = 14, kAddresses = 12, kTag = 4;

std::span<const uint8_t> BytesOf(const Frame& frame) { return {frame.data, frame.captured_length}; }

uint32_t LengthOf(const Frame& frame) {
  return frame.captured_length + (frame.vlan_tpid != 0 ? kTag : 0);
}

void Copy(const Frame& frame, uint8_t* to) {
  if (frame.vlan_tpid == 0) {
    std::memcpy(to, frame.data, frame.captured_length);
    return;
  }
  std::memcpy(to, frame.data, kAddresses);
  const uint8_t tag[kTag] = {
      static_cast<uint8_t>(frame.vlan_tpid >> 8), static_cast<uint8_t>(frame.vlan_tpid),
      static_cast<uint8_t>(frame.vlan_tci >> 8), static_cast<uint8_t>(frame.vlan_tci)};
  std::memcpy(to + kAddresses, tag, kTag);
  std::memcpy(to + kAddresses + kTag, frame.data + kAddresses, frame.captured_length - kAddresses);
}

absl::Status CannotSend(const Frame& frame, uint32_t most) {
  if (frame.link_type != link_type::kEthernet) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "a frame of link type %u cannot be sent: Ethernet only (1)", frame.link_type));
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("a frame of %u bytes cannot be sent: from %u to %u (most_frame_bytes)",
                      LengthOf(frame), kEthernetHeader, most));
}

}  // namespace

void StampProbes(std::span<uint8_t* const> probes) {
  if (probes.empty()) return;
  const int64_t now = ReadClockNs(CLOCK_MONOTONIC);
  for (uint8_t* const probe : probes) std::memcpy(probe, &now, sizeof now);
}

absl::Status KickStatus(ssize_t result, const std::string& interface) {
  if (result >= 0) return absl::OkStatus();
  switch (errno) {
    case EAGAIN:
    case EBUSY:
    case ENOBUFS:
    case EINTR:
      return absl::OkStatus();
    default:
      return absl::ErrnoToStatus(errno, interface + " does not take a frame");
  }
}

BatchSender::BatchSender(const SendOptions& options, LinkQuery link)
    : options_(options),
      link_(std::move(link)),
      at_start_(link_.Ask().value_or(LinkState{})),
      pacer_(options.packets_per_second, options.bits_per_second) {
  probes_.reserve(options.batch);
}

absl::Status BatchSender::Send(std::span<const Frame> frames) {
  for (const Frame& frame : frames) {
    const uint32_t length = LengthOf(frame);
    if (frame.captured_length < kEthernetHeader || length > options_.most_frame_bytes ||
        frame.link_type != link_type::kEthernet) [[unlikely]] {
      return CannotSend(frame, options_.most_frame_bytes);
    }
    if (options_.port_delay != nullptr && ProbeTimeOffset(BytesOf(frame)) != 0) [[unlikely]] {
      if (auto status = LeaveProbe(frame); !status.ok()) return status;
      continue;
    }
    uint8_t* const room = Room(length);
    if (room == nullptr) [[unlikely]]
      return failure_;
    Copy(frame, room);
    if (const uint32_t at = ProbeTimeOffset({room, length}); at != 0) [[unlikely]]
      probes_.push_back(room + at);
    staged_wire_bytes_ += length + kWireOverheadBytes;
    if (++staged_ < options_.batch) continue;
    if (auto status = LeaveBatch(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status BatchSender::LeaveProbe(const Frame& frame) {
  std::vector<uint8_t> bytes(frame.data, frame.data + frame.captured_length);
  const uint64_t wire_bytes = bytes.size() + kWireOverheadBytes;
  const int64_t now = ReadClockNs(CLOCK_MONOTONIC);
  pacer_.Next(1, wire_bytes, now);
  StampProbes(std::array{bytes.data() + ProbeTimeOffset(bytes)});
  auto status = options_.port_delay->Send(bytes);
  progress_.wire_bytes += wire_bytes;
  Left(1, now);
  return status;
}

absl::Status BatchSender::LeaveBatch() {
  const uint32_t frames = staged_;
  const Pacer::Place place = pacer_.Next(frames, staged_wire_bytes_, ReadClockNs(CLOCK_MONOTONIC));
  progress_.wire_bytes += staged_wire_bytes_;
  staged_ = 0;
  staged_wire_bytes_ = 0;
  auto status = Leave(frames, place, probes_);
  probes_.clear();
  return status;
}

void BatchSender::Left(uint32_t frames, int64_t first_ns) {
  if (progress_.frames == 0) progress_.first_ns = first_ns;
  progress_.frames += frames;
  progress_.last_ns = ReadClockNs(CLOCK_MONOTONIC);
  if (paced()) progress_.last_ns = std::max(progress_.last_ns, pacer_.due_ns());
}

absl::Status BatchSender::Flush() {
  if (staged_ != 0) {
    if (auto status = LeaveBatch(); !status.ok()) return status;
  }
  return Drain();
}

// A veth's counter goes up when the other end has taken the frame out of its queue.
absl::Status BatchSender::Finish() {
  constexpr absl::Duration kQuiet = absl::Milliseconds(20), kPause = absl::Milliseconds(1);
  if (auto status = Flush(); !status.ok()) return status;
  if (auto status = WaitForLast(); !status.ok()) return status;
  uint64_t last = refused();
  absl::Time changed = absl::Now();
  while (last != 0 && absl::Now() < changed + kQuiet) {
    absl::SleepFor(kPause);
    const uint64_t now = refused();
    if (now != last) changed = absl::Now();
    last = now;
  }
  return absl::OkStatus();
}

uint64_t BatchSender::refused() const {
  const auto now = link_.Ask();
  if (!now.ok()) return 0;
  const uint64_t dropped = now->transmit_dropped - at_start_.transmit_dropped;
  uint64_t refused = dropped;
  if (now->kind == "veth") {
    // Exact, also where the other end takes nothing at all and says nothing.
    const uint64_t passed = now->transmitted - at_start_.transmitted;
    refused = std::max(refused, progress_.frames - std::min(progress_.frames, passed));
  }
  return std::min(refused, progress_.frames);
}

uint64_t BatchSender::sent() const { return progress_.frames - refused(); }

}  // namespace weir::load

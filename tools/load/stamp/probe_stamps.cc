#include "tools/load/stamp/probe_stamps.h"

#include <linux/errqueue.h>
#include <time.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "tools/load/send/probe.h"

namespace weir::load {
namespace {

int64_t Nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

int64_t StampOf(const ProbeStamp& stamp, StampClock clock) {
  return clock == StampClock::kHardware ? stamp.hardware_ns : stamp.kernel_ns;
}

// Those that bear a stamp of the clock, one of each number.
void Order(std::vector<ProbeStamp>& stamps, StampClock clock) {
  std::erase_if(stamps, [&](const ProbeStamp& stamp) { return StampOf(stamp, clock) == 0; });
  std::stable_sort(stamps.begin(), stamps.end(),
                   [](const ProbeStamp& a, const ProbeStamp& b) { return a.number < b.number; });
  const auto same = [](const ProbeStamp& a, const ProbeStamp& b) { return a.number == b.number; };
  stamps.erase(std::unique(stamps.begin(), stamps.end(), same), stamps.end());
}

}  // namespace

const char* NameOf(StampClock clock) {
  switch (clock) {
    case StampClock::kHardware:
      return "hardware";
    case StampClock::kKernel:
      return "kernel";
    default:
      return "process";
  }
}

std::optional<ProbeStamp> ReadStamp(const msghdr& message, std::span<const uint8_t> frame) {
  if (ProbeTimeOffset(frame) == 0) return std::nullopt;
  ProbeStamp stamp;
  std::memcpy(&stamp.number, frame.data() + kProbeOffset + offsetof(ProbePayload, number),
              sizeof stamp.number);
  for (const cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr;
       at = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(at))) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_TIMESTAMPING) continue;
    scm_timestamping stamps;
    if (at->cmsg_len < CMSG_LEN(sizeof stamps)) continue;
    std::memcpy(&stamps, CMSG_DATA(at), sizeof stamps);
    stamp.kernel_ns = Nanoseconds(stamps.ts[0]);
    stamp.hardware_ns = Nanoseconds(stamps.ts[2]);  // ts[1] is no longer used
  }
  if (stamp.kernel_ns == 0 && stamp.hardware_ns == 0) return std::nullopt;
  return stamp;
}

PortDelays PairStamps(std::vector<ProbeStamp> sent, std::vector<ProbeStamp> received,
                      StampClock clock) {
  PortDelays found{.clock = clock};
  Order(sent, clock);
  Order(received, clock);
  uint64_t paired = 0;
  auto left = sent.begin();
  for (const ProbeStamp& came : received) {
    while (left != sent.end() && left->number < came.number) ++left;
    if (left == sent.end()) break;
    if (left->number != came.number) continue;
    const int64_t delay = StampOf(came, clock) - StampOf(*left, clock);
    found.delays.Add(delay);
    found.negative += delay < 0 ? 1 : 0;
    ++paired;
  }
  found.unpaired = sent.size() + received.size() - 2 * paired;
  return found;
}

}  // namespace weir::load

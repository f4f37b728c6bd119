// When a probe (tools/load/traffic/payload.h) left a port and when it came in at another, as the
// kernel tells it beside a message: SO_TIMESTAMPING of the kernel's networking/timestamping.rst.
// The delay between the two ports is the difference of two stamps of one clock.
//
// Thread: any; plain functions.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/stats/delay_histogram.h"

namespace weir::load {

enum class StampClock : uint8_t {
  kProcess,   // the sending process and the consumer, CLOCK_MONOTONIC: no delay between ports
  kKernel,    // the drivers' software: as a frame is given to the device, as it comes from there
  kHardware,  // the network cards: as a frame passes the wire
};

// "hardware".
const char* NameOf(StampClock clock);

struct ProbeStamp {
  uint64_t number = 0;      // ProbePayload::number
  int64_t kernel_ns = 0;    // CLOCK_REALTIME; 0: none
  int64_t hardware_ns = 0;  // of the card's own clock; 0: none
};

// What recvmsg(2) said of `frame`, which begins with its Ethernet header. None: it is no probe, or
// bears no stamp.
std::optional<ProbeStamp> ReadStamp(const msghdr& message, std::span<const uint8_t> frame);

struct PortDelays {
  StampClock clock = StampClock::kProcess;
  DelayHistogram delays;
  uint64_t unpaired = 0;  // probes that left with a stamp and came in without one, or never, or
                          // the other way round
  uint64_t negative = 0;  // probes that came in before they left: the two clocks disagree
};

// By the probes' numbers, of which the first of each counts. Stamps of other clocks are not used.
PortDelays PairStamps(std::vector<ProbeStamp> sent, std::vector<ProbeStamp> received,
                      StampClock clock);

}  // namespace weir::load

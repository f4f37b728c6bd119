// Takes the delay of probes from one port to another by the kernel's or the hardware's time stamps,
// whatever sends the other frames and whatever listens to them.
//
//   auto delay = PortDelay::Open({.sender = "tx0", .listener = "rx0", .clock = kHardware});
//   send.port_delay = delay->get();   // SendOptions: probes leave by it
//   ... (*delay)->Collect() now and then, as its sockets hold some thousands ...
//   (*delay)->Take();
//
// A packet socket of its own sends the probes, asks for a stamp of each and reads it from its error
// queue (timestamping.rst, 2.1); another one listens, filtered to probes, and reads their stamps.
// So the engine that is tried is not touched; frames that AF_XDP takes away from the host are not
// seen.
//
// Thread: one. The network namespace is that of the thread that opens. Memory is taken when opened.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/unique_fd.h"
#include "tools/load/stamp/interface_clock.h"
#include "tools/load/stamp/probe_stamps.h"

namespace weir::load {

struct PortDelayOptions {
  std::string sender, listener;
  StampClock clock = StampClock::kKernel;  // not kProcess
  bool clocks_agree = false;               // two hardware clocks that somebody keeps equal
  size_t most_probes = 0;                  // memory for so many
};

// The best that the two can: the clock, and why no better one.
struct ClockChoice {
  StampClock clock = StampClock::kProcess;
  std::vector<std::string> refusals;
};
// OK: options.clock can be had. Else what to do; a driver may still refuse (PortDelay::Open).
absl::Status CheckClock(const PortDelayOptions& options);
ClockChoice BestClock(PortDelayOptions options);

class PortDelay {
 public:
  // Where the clock cannot be had: an error that says what to do, and nothing was changed.
  static absl::StatusOr<std::unique_ptr<PortDelay>> Open(const PortDelayOptions& options);

  // One probe leaves now.
  absl::Status Send(std::span<const uint8_t> frame);
  // Reads what stamps there are.
  void Collect();
  // All that were collected; then there are none.
  PortDelays Take();

 private:
  explicit PortDelay(const PortDelayOptions& options) : options_(options) {}
  absl::Status OpenSender();
  absl::Status OpenListener();

  PortDelayOptions options_;
  std::vector<HardwareStamping> switched_on_;
  UniqueFd sender_, listener_;
  std::vector<ProbeStamp> sent_, received_;
};

}  // namespace weir::load

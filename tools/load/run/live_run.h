// Traffic on a wire, and an engine that listens: in one process, or in two (or on two machines)
// that agree on the profile.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/statusor.h"
#include "engine/engine_options.h"
#include "tools/load/run/run_result.h"
#include "tools/load/send/sender.h"
#include "tools/load/stamp/port_delay.h"
#include "tools/load/traffic/profile.h"

namespace weir::load {

struct LiveRunOptions {
  TrafficProfile profile;
  // Who listens: interfaces, shards, processors. The kinds of event are chosen by the run.
  EngineOptions engine;
  bool verify = true;  // false: nobody looks at what is delivered
  // No value: somebody else sends; the run waits for the first frame as long as it takes, and ends
  // when all frames of the profile are accounted for, or none came for quiet_ns.
  std::optional<SendOptions> send;
  int send_cpu = -1;  // where the sender runs; -1: anywhere
  // More than 0: the profile's frames are made before, and sent over and over for so long, so that
  // making them takes nothing of the sender's time. They are counted only (no verify): RunResult's
  // truth is that of the first round.
  double repeat_seconds = 0;
  int64_t quiet_ns = 1'000'000'000;
  bool shared = false;                // others use the interface, too: VerdictInput::shared
  std::function<bool()> interrupted;  // asked now and then; true: end. Null: never
  // The delay of probes from port to port besides; the profile has some. Its names and its memory
  // are the run's to say. Not with AF_XDP, which takes frames away before the kernel stamps them.
  std::optional<PortDelayOptions> port_delay;
  bool port_delay_needed = true;  // false: where it cannot be had a note says why
  RunHooks hooks;
};

absl::StatusOr<RunResult> RunLive(LiveRunOptions options);

}  // namespace weir::load

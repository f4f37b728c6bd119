// Who sends, who listens, and how fast, on the command line.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tools/load/command/engine_options.h"
#include "tools/load/run/own_veth.h"
#include "tools/load/send/sender.h"

namespace CLI {
class App;
}

namespace weir::load {

struct WireChoice {
  std::string send_on, listen_on;
  bool veth = false;  // a pair of our own instead
  int send_cpu = -1;
  SendOptions send;
};

// --send-on, --listen-on, --veth.
void AddWireOptions(CLI::App& app, WireChoice& wire);
// --rate, --method, --batch, --queue, --gro-on-peer, --send-cpu.
void AddSendOptions(CLI::App& app, WireChoice& wire);

// The sender, and a pair of our own, take the longest frames of the traffic.
void MakeRoomFor(const TrafficProfile& profile, WireChoice& wire);

// Makes the pair where it was asked for, and names its ends in `wire`. Null: real interfaces.
absl::StatusOr<std::unique_ptr<OwnVeth>> MakeWire(WireChoice& wire, const EngineChoice& engine);

// Two processors or more, and nobody said where: the sender on the first, the shards on the others.
void SpreadOverProcessors(WireChoice& wire, EngineChoice& engine);

// True once SIGINT or SIGTERM has come. The first call sets the handlers up.
bool Interrupted();

}  // namespace weir::load

#include "tools/load/command/live_options.h"

#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <map>

#include "engine/placement.h"
#include "tools/load/command/traffic_options.h"
#include "tools/load/traffic/profile_check.h"

namespace weir::load {
namespace {

constexpr char kGroup[] = "The wire";

volatile std::sig_atomic_t interrupted = 0;

}  // namespace

void AddWireOptions(CLI::App& app, WireChoice& wire) {
  auto* const send_on = app.add_option("--send-on", wire.send_on, "Interface that sends")
                            ->type_name("IFACE")
                            ->group(kGroup);
  auto* const listen_on = app.add_option("--listen-on", wire.listen_on, "Interface that is watched")
                              ->type_name("IFACE")
                              ->group(kGroup);
  app.add_flag("--veth", wire.veth,
               "Instead: a veth pair in a namespace of its own; no interface is touched")
      ->excludes(send_on)
      ->excludes(listen_on)
      ->group(kGroup);
}

void AddSendOptions(CLI::App& app, WireChoice& wire) {
  const std::map<std::string, SendMethod> methods = {{"auto", SendMethod::kAuto},
                                                     {"live-frames", SendMethod::kLiveFrames},
                                                     {"xdp", SendMethod::kXdp},
                                                     {"packet", SendMethod::kPacket}};
  app.add_option_function<std::string>(
         "--rate",
         [&wire](const std::string& text) {
           const auto rate = ParseRate(text);
           if (!rate.ok()) throw CLI::ValidationError(std::string(rate.status().message()));
           wire.send.packets_per_second = rate->packets_per_second;
           wire.send.bits_per_second = rate->bits_per_second;
         },
         "500k or 1.2M packets a second, or 9.5Gbit on the wire (as fast as it can)")
      ->type_name("RATE")
      ->group(kGroup);
  app.add_option("--method", wire.send.method,
                 "How it sends: auto, live-frames (XDP), xdp (AF_XDP), packet (AF_PACKET)")
      ->transform(CLI::Transformer(methods).description(""))
      ->type_name("NAME")
      ->group(kGroup);
  app.add_option("--batch", wire.send.batch, "Frames that leave together (64)")
      ->check(CLI::Range(1u, 256u).description(""))
      ->type_name("N")
      ->group(kGroup);
  app.add_option("--queue", wire.send.queue, "Queue of the interface that AF_XDP sends by (0)")
      ->type_name("N")
      ->group(kGroup);
  app.add_flag("--gro-on-peer", wire.send.gro_on_peer,
               "Live frames into a veth of this namespace: switch GRO on at its other end, which "
               "would not take them without")
      ->group(kGroup);
  app.add_option("--send-cpu", wire.send_cpu, "Processor of the sender")
      ->type_name("N")
      ->group(kGroup);
}

void MakeRoomFor(const TrafficProfile& profile, WireChoice& wire) {
  wire.send.most_frame_bytes = std::max(wire.send.most_frame_bytes, MostFrameBytes(profile));
}

absl::StatusOr<std::unique_ptr<OwnVeth>> MakeWire(WireChoice& wire, const EngineChoice& engine) {
  if (!wire.veth) {
    wire.send.interface = wire.send_on;
    return nullptr;
  }
  auto veth = OwnVeth::Create({.queues = engine.shards,
                               .mtu = std::max(1500u, wire.send.most_frame_bytes),
                               .pass_program = engine.backend.backend == Backend::kPacket});
  if (!veth.ok()) return veth.status();
  wire.send_on = wire.send.interface = OwnVeth::kSender;
  wire.listen_on = OwnVeth::kListener;
  return veth;
}

void SpreadOverProcessors(WireChoice& wire, EngineChoice& engine) {
  const std::vector<int> usable = UsableCpus();
  if (usable.size() < 2 || wire.send_cpu >= 0 || !engine.cpus.empty()) return;
  wire.send_cpu = usable.front();
  engine.cpus.assign(usable.begin() + 1, usable.end());
}

bool Interrupted() {
  static const bool installed = [] {
    struct sigaction action = {};
    action.sa_handler = [](int) { interrupted = 1; };
    action.sa_flags = SA_RESETHAND;  // a second one kills
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    return true;
  }();
  return installed && interrupted != 0;
}

}  // namespace weir::load

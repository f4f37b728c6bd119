#include "tools/load/command/engine_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "engine/placement.h"
#include "tools/weir/option_values.h"
#include "tools/weir/parse.h"

namespace weir::load {
namespace {

constexpr char kGroup[] = "The engine";

template <typename Value>
Value Taken(absl::StatusOr<Value> value) {
  if (!value.ok()) throw CLI::ValidationError(std::string(value.status().message()));
  return *std::move(value);
}

template <typename Parse>
void Add(CLI::App& app, const char* name, const char* type, const char* help, Parse parse) {
  app.add_option_function<std::string>(name, parse, help)->type_name(type)->group(kGroup);
}

uint32_t FlowsOf(const TrafficProfile& profile) {
  // Ended flows linger, and the one-packet flows of floods wait for their time-outs.
  uint64_t flows = profile.flows;
  if (profile.flow_packets > 0) flows += profile.packets / std::max(profile.flow_packets / 2, 1u);
  const double floods = profile.syn_flood + profile.collision_flood;
  flows += static_cast<uint64_t>(floods * static_cast<double>(profile.packets));
  return static_cast<uint32_t>(std::clamp<uint64_t>(flows + flows / 8, 1'024, 100'000'000));
}

}  // namespace

void AddEngineOptions(CLI::App& app, EngineChoice& choice, bool live) {
  app.add_option("--shards", choice.shards, "Shards, each with a thread and tables of its own (1)")
      ->check(CLI::Range(1, kMostFanoutSockets).description(""))
      ->type_name("N")
      ->group(kGroup);
  Add(app, "--cpus", "LIST", "Where they run: 2-5,8",
      [&choice](const std::string& text) { choice.cpus = Taken(ParseCpuList(text)); });
  Add(app, "--max-flows", "N", "Flows in the tables of all shards (what the traffic needs)",
      [&choice](const std::string& text) { choice.max_flows = Taken(ParseCount(text)); });
  Add(app, "--stream-memory", "SIZE", "For bytes that came early",
      [&choice](const std::string& text) { choice.stream_memory = Taken(ParseSize(text)); });
  app.add_flag_callback(
         "--no-streams", [&choice] { choice.streams = false; }, "Flows only, no reassembly")
      ->group(kGroup);
  if (!live) return;
  app.add_option("--ring-mib", choice.ring_mib, "Ring of each shard, in MiB (64)")
      ->check(CLI::Range(1u, 1u << 16).description(""))
      ->type_name("N")
      ->group(kGroup);
  Add(app, "--backend", "NAME", "auto, packet (default) or xdp",
      [&choice](const std::string& text) { choice.backend.backend = Taken(ParseBackend(text)); });
  Add(app, "--xdp-mode", "NAME", "auto, zero-copy, copy or generic",
      [&choice](const std::string& text) { choice.backend.xdp_mode = Taken(ParseXdpMode(text)); });
  Add(app, "--fanout", "MODE", "How frames are given to shards (ebpf)",
      [&choice](const std::string& text) { choice.fanout = Taken(ParseFanout(text)); });
}

ShardOptions MakeShardOptions(const EngineChoice& choice, const TrafficProfile& profile) {
  ShardOptions shard;
  const uint64_t flows = choice.max_flows > 0 ? choice.max_flows : FlowsOf(profile);
  // Flows are not spread evenly over shards: a quarter more.
  const auto shards = static_cast<uint64_t>(choice.shards);
  shard.flow.max_flows =
      static_cast<uint32_t>(shards == 1 ? flows : flows / shards + flows / shards / 4 + 64);
  constexpr int64_t kHour = 3'600'000'000'000;
  Timeouts& timeouts = shard.flow.timeouts;
  timeouts.tcp_established = timeouts.tcp_unanswered = kHour;
  timeouts.udp = timeouts.icmp = timeouts.other = kHour;
  if (choice.streams) {
    shard.flow.streams.emplace();
    if (choice.stream_memory > 0)
      shard.flow.streams->memory_bytes = std::max<size_t>(choice.stream_memory / shards, 1);
  }
  return shard;
}

EngineOptions MakeEngineOptions(const EngineChoice& choice, const TrafficProfile& profile,
                                const std::string& interface) {
  EngineOptions engine;
  EngineInterface& listening = engine.interfaces.emplace_back();
  PacketSourceOptions& leg = listening.legs.emplace_back();
  leg.interface = interface;
  leg.ring.ring_bytes = size_t{choice.ring_mib} << 20;
  // What the sender puts on a device of this host is not looked at on its way out.
  leg.direction = CaptureDirection::kIn;
  listening.fanout = choice.fanout;
  listening.backend = choice.backend;
  engine.shards = choice.shards;
  engine.cpus = choice.cpus;
  engine.shard = MakeShardOptions(choice, profile);
  engine.shard.live = true;
  return engine;
}

}  // namespace weir::load

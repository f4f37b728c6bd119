#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/load/command/commands.h"
#include "tools/load/command/live_options.h"
#include "tools/load/command/run_outputs.h"
#include "tools/load/command/traffic_options.h"
#include "tools/load/report/json_fields.h"
#include "tools/load/report/line_chart.h"
#include "tools/load/run/live_run.h"
#include "tools/load/search/no_loss_search.h"
#include "tools/weir/human.h"
#include "tools/weir/option_values.h"
#include "tools/weir/parse.h"

namespace weir::load {
namespace {

// RFC 2544 section 9.1, without the frame check sequence.
constexpr char kRfcFrames[] = "60,124,252,508,1020,1276,1514";
constexpr uint32_t kFrameCost = 24;  // preamble, frame check sequence and gap, in bytes

struct SearchCommand {
  TrafficProfile profile;
  EngineChoice engine;
  WireChoice wire;
  RunOutputs outputs;
  SearchOptions search;
  std::string frames = kRfcFrames, flows, shards, backends = "packet";
  double seconds = 1;
  bool realtime = false;
};

// Of this thread and of those that it starts: the sender and the shards.
absl::Status TakePriority() {
  sched_param lowest{};
  lowest.sched_priority = sched_get_priority_min(SCHED_FIFO);
  if (sched_setscheduler(0, SCHED_FIFO, &lowest) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "no real-time priority (needs CAP_SYS_NICE: run it with sudo)");
}

// One point of a curve.
struct Place {
  std::string backend;
  uint32_t frame_bytes = 0;
  uint32_t flows = 0;
  int shards = 0;
  NoLossRate rate;

  double bits_per_second() const { return rate.frames_per_second * (frame_bytes + kFrameCost) * 8; }
};

absl::StatusOr<std::vector<uint64_t>> Numbers(const std::string& text, uint64_t otherwise) {
  if (text.empty()) return std::vector<uint64_t>{otherwise};
  const auto parts = ParseList(text);
  if (!parts.ok()) return parts.status();
  std::vector<uint64_t> numbers;
  for (const std::string_view part : *parts) {
    const auto number = ParseCount(part);
    if (!number.ok()) return number.status();
    numbers.push_back(*number);
  }
  return numbers;
}

// Frames are made before and sent over and over: as few as the flows allow, so that they stay in
// the sender's cache and its rate does not depend on who else uses the memory.
constexpr uint64_t kFramesBytes = 512 << 10;

absl::StatusOr<Trial> RunTrialAt(const SearchCommand& command, const EngineChoice& engine,
                                 const TrafficProfile& profile, double rate) {
  LiveRunOptions options;
  options.profile = profile;
  options.engine = MakeEngineOptions(engine, profile, command.wire.listen_on);
  options.verify = false;
  options.send = command.wire.send;
  options.send->packets_per_second = rate;
  options.send->bits_per_second = 0;
  options.send_cpu = command.wire.send_cpu;
  options.repeat_seconds = command.seconds;
  options.quiet_ns = 200'000'000;
  options.interrupted = Interrupted;
  const auto result = RunLive(std::move(options));
  if (!result.ok()) return result.status();
  if (Interrupted()) return absl::CancelledError("interrupted");
  const uint64_t frames = result->sent + result->refused;
  return Trial{.wanted = rate,
               .sent_at = static_cast<double>(frames) / result->send_seconds,
               .frames = frames,
               .lost = frames - std::min(frames, result->counters.ledger.received)};
}

TrafficProfile ProfileAt(const SearchCommand& command, const Place& place) {
  TrafficProfile profile = command.profile;
  profile.flows = place.flows;
  profile.sizes = {{place.frame_bytes, 1}};
  profile.size_unit = SizeUnit::kFrame;
  profile.packets = std::max<uint64_t>(kFramesBytes / place.frame_bytes, 2 * place.flows);
  return profile;
}

absl::Status SearchAt(const SearchCommand& command, Place& place) {
  EngineChoice engine = command.engine;
  engine.shards = place.shards;
  engine.backend.backend = *ParseBackend(place.backend);
  const TrafficProfile profile = ProfileAt(command, place);
  const auto found = SearchNoLossRate(
      command.search, [&](double rate) { return RunTrialAt(command, engine, profile, rate); });
  if (!found.ok()) return found.status();
  place.rate = *found;
  const NoLossRate& rate = place.rate;
  std::printf(
      "%-8s %6u %8s %7d  %9s %14s  %s\n", place.backend.c_str(), place.frame_bytes,
      HumanCount(place.flows).c_str(), place.shards, HumanRate(rate.frames_per_second).c_str(),
      HumanBitRate(place.bits_per_second()).c_str(),
      absl::StrFormat("%s %s that the sender can%s (%d trials)",
                      rate.limited_by_sender ? "all of the" : "of", HumanRate(rate.sender_ceiling),
                      rate.limited_by_sender ? ": the engine's limit is higher" : "",
                      rate.trials.size())
          .c_str());
  std::fflush(stdout);
  return absl::OkStatus();
}

// What is varied stands on the x axis; each back-end is a curve.
std::string Picture(const SearchCommand& command, const std::vector<Place>& places) {
  const auto differs = [&](auto value) {
    return std::any_of(places.begin(), places.end(),
                       [&](const Place& place) { return value(place) != value(places[0]); });
  };
  const bool by_flows = differs([](const Place& place) { return place.flows; });
  const bool by_shards = differs([](const Place& place) { return place.shards; });
  LineChart chart;
  chart.title = "Highest rate without loss (RFC 2544)";
  chart.subtitle = absl::StrFormat("%g s a trial, to %g %%; seed %d", command.seconds,
                                   command.search.resolution * 100, command.profile.seed);
  const auto limited = std::count_if(places.begin(), places.end(), [](const Place& place) {
    return place.rate.limited_by_sender;
  });
  if (limited > 0) {
    absl::StrAppendFormat(&chart.subtitle,
                          "; %d of %d rates are all that the sender can: the engine's are higher",
                          limited, places.size());
  }
  chart.x_name = by_flows ? "flows" : by_shards ? "shards" : "frame bytes (without check sequence)";
  chart.y_name = "M frames/s";
  chart.log_x = by_flows;
  chart.log_y = !by_flows && !by_shards;  // beside the line rate
  for (const Place& place : places) {
    const std::string name = absl::StrCat(
        place.backend, by_flows || by_shards ? absl::StrCat(", ", place.frame_bytes, " B") : "");
    auto curve = std::find_if(chart.curves.begin(), chart.curves.end(),
                              [&](const Curve& known) { return known.name == name; });
    if (curve == chart.curves.end()) {
      chart.curves.push_back({.name = name});
      curve = chart.curves.end() - 1;
    }
    const double x = by_flows ? place.flows : by_shards ? place.shards : place.frame_bytes;
    curve->points.push_back({x, place.rate.frames_per_second / 1e6});
  }
  if (!by_flows && !by_shards) {
    Curve line = {.name = "10 Gbit/s line rate", .measured = false};
    for (const Point& point : chart.curves.front().points)
      line.points.push_back({point.x, 10e9 / 8 / (point.x + kFrameCost) / 1e6});
    chart.curves.push_back(std::move(line));
  }
  return chart.Draw();
}

std::string Json(const SearchCommand& command, const std::vector<Place>& places) {
  rapidjson::StringBuffer buffer;
  JsonWriter to(buffer);
  to.StartObject();
  Put(to, "seconds_per_trial", command.seconds);
  Put(to, "resolution", command.search.resolution);
  to.Key("rates");
  to.StartArray();
  for (const Place& place : places) {
    to.StartObject();
    Put(to, "backend", place.backend);
    Put(to, "frame_bytes", uint64_t{place.frame_bytes});
    Put(to, "flows", uint64_t{place.flows});
    Put(to, "shards", static_cast<uint64_t>(place.shards));
    Put(to, "frames_per_second", place.rate.frames_per_second);
    Put(to, "bits_per_second", place.bits_per_second());
    Put(to, "sender_ceiling", place.rate.sender_ceiling);
    Put(to, "limited_by_sender", place.rate.limited_by_sender);
    to.Key("trials");
    to.StartArray();
    for (const Trial& trial : place.rate.trials) {
      to.StartObject();
      Put(to, "wanted", trial.wanted);
      Put(to, "sent_at", trial.sent_at);
      Put(to, "frames", trial.frames);
      Put(to, "lost", trial.lost);
      to.EndObject();
    }
    to.EndArray();
    to.EndObject();
  }
  to.EndArray();
  to.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

absl::StatusOr<std::vector<Place>> PlacesOf(const SearchCommand& command) {
  const auto frames = Numbers(command.frames, 0);
  const auto flows = Numbers(command.flows, command.profile.flows);
  const auto shards = Numbers(command.shards, static_cast<uint64_t>(command.engine.shards));
  const auto backends = ParseList(command.backends);
  for (const absl::Status& status :
       {frames.status(), flows.status(), shards.status(), backends.status()})
    if (!status.ok()) return status;
  std::vector<Place> places;
  for (const std::string_view backend : *backends) {
    for (const uint64_t frame : *frames) {
      for (const uint64_t flow : *flows) {
        for (const uint64_t shard : *shards) {
          places.push_back({.backend = std::string(backend),
                            .frame_bytes = static_cast<uint32_t>(frame),
                            .flows = static_cast<uint32_t>(flow),
                            .shards = static_cast<int>(shard)});
        }
      }
    }
  }
  return places;
}

absl::Status Search(SearchCommand& command) {
  auto places = PlacesOf(command);
  if (!places.ok()) return places.status();
  if (!command.wire.veth && (command.wire.send_on.empty() || command.wire.listen_on.empty()))
    return absl::InvalidArgumentError("name --send-on and --listen-on, or try --veth");
  if (command.realtime) {
    if (auto status = TakePriority(); !status.ok()) return status;
  }
  for (const Place& place : *places) MakeRoomFor(ProfileAt(command, place), command.wire);
  EngineChoice widest = command.engine;
  for (const Place& place : *places) widest.shards = std::max(widest.shards, place.shards);
  SpreadOverProcessors(command.wire, command.engine);
  std::printf("%-8s %6s %8s %7s  %9s %14s\n", "backend", "frame", "flows", "shards", "frames/s",
              "on the wire");
  // A pair of our own has the program that its back-end wants.
  std::unique_ptr<OwnVeth> veth;
  std::string wired;
  for (Place& place : *places) {
    if (wired != place.backend) {
      wired = place.backend;
      const auto backend = ParseBackend(wired);
      if (!backend.ok()) return backend.status();
      widest.backend.backend = *backend;
      veth.reset();
      auto made = MakeWire(command.wire, widest);
      if (!made.ok()) return made.status();
      veth = *std::move(made);
    }
    if (auto status = SearchAt(command, place); !status.ok()) return status;
  }
  absl::Status status;
  if (!command.outputs.json.empty())
    status.Update(WriteText(command.outputs.json, Json(command, *places)));
  if (!command.outputs.picture.empty())
    status.Update(WriteText(command.outputs.picture, Picture(command, *places)));
  return status;
}

}  // namespace

void AddSearchCommand(CLI::App& app, int& status) {
  constexpr char kGroup[] = "The search";
  CLI::App* const sub = app.add_subcommand(
      "search", "Find the highest rate without loss (RFC 2544), over frame sizes and more");
  const auto command = std::make_shared<SearchCommand>();
  command->profile.udp = 1;
  AddWireOptions(*sub, command->wire);
  AddSendOptions(*sub, command->wire);
  sub->add_option("--frames", command->frames, absl::StrCat("Frame sizes (", kRfcFrames, ")"))
      ->type_name("LIST")
      ->group(kGroup);
  sub->add_option("--over-flows", command->flows, "Numbers of flows: 1k,100k,1M")
      ->type_name("LIST")
      ->group(kGroup);
  sub->add_option("--over-shards", command->shards, "Numbers of shards: 1,2,4")
      ->type_name("LIST")
      ->group(kGroup);
  sub->add_option("--backends", command->backends, "packet, xdp or both (packet)")
      ->type_name("LIST")
      ->group(kGroup);
  sub->add_option("--seconds", command->seconds, "Of one trial (1)")
      ->check(CLI::Range(0.05, 3600.0).description(""))
      ->type_name("S")
      ->group(kGroup);
  sub->add_option("--resolution", command->search.resolution, "Ends within this share (0.01)")
      ->check(CLI::Range(0.001, 0.5).description(""))
      ->type_name("SHARE")
      ->group(kGroup);
  sub->add_option("--tries", command->search.tries,
                  "Trials of a rate until one loses nothing; of the sender's ceiling three times "
                  "as many or more (5)")
      ->check(CLI::Range(1, 100).description(""))
      ->type_name("N")
      ->group(kGroup);
  sub->add_flag("--realtime", command->realtime,
                "Sender and shards before all else on the machine (SCHED_FIFO), where it does more")
      ->group(kGroup);
  AddTrafficOptions(*sub, command->profile);
  AddEngineOptions(*sub, command->engine, true);
  AddOutputOptions(*sub, command->outputs);
  sub->callback([command, &status] {
    const absl::Status result = Search(*command);
    if (!result.ok())
      std::fprintf(stderr, "weir-load: %s\n", std::string(result.message()).c_str());
    status = result.ok() ? 0 : result.code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
  });
}

}  // namespace weir::load

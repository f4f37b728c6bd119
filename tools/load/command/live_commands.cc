#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/placement.h"
#include "tools/load/command/commands.h"
#include "tools/load/command/live_options.h"
#include "tools/load/command/run_outputs.h"
#include "tools/load/command/traffic_options.h"
#include "tools/load/run/live_run.h"
#include "tools/load/send/ceiling.h"
#include "tools/load/send/replay.h"
#include "tools/load/traffic/capture_output.h"
#include "tools/weir/human.h"

namespace weir::load {
namespace {

int Failed(const absl::Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "weir-load: %s\n", std::string(status.message()).c_str());
  return 1;
}

int Misused(const char* what) {
  std::fprintf(stderr, "weir-load: %s\n", what);
  return 2;
}

struct LiveCommand {
  TrafficProfile profile;
  EngineChoice engine;
  WireChoice wire;
  RunOutputs outputs;
  bool no_ceiling = false;
  bool time_only = false;
  bool shared = false;
  std::string timestamps = "process";
  bool clocks_agree = false;
  double quiet_s = 1;
  double duration_s = 0;
  std::string file;
  double speed = 1;
  uint64_t loops = 1;
};

// How fast the sender is into a sink that only counts, before an engine is measured with it.
absl::Status TellCeiling(const LiveCommand& command) {
  constexpr double kSeconds = 0.5;
  constexpr size_t kFrames = 4096;
  auto sink = CountingSink::Attach(command.wire.listen_on);
  // Where that cannot be, the run says so, and goes on.
  if (!sink.ok()) {
    std::printf("The sender's ceiling is not known: %s\n",
                std::string(sink.status().message()).c_str());
    return absl::OkStatus();
  }
  SendOptions send = command.wire.send;
  send.packets_per_second = send.bits_per_second = 0;
  auto sender = OpenSender(send, nullptr);
  if (!sender.ok()) return sender.status();
  auto model = TrafficModel::Create(command.profile);
  if (!model.ok()) return model.status();
  const auto ceiling = ProveCeiling(**sender, **sink, (*model)->Next(kFrames), kSeconds);
  if (!ceiling.ok()) return ceiling.status();
  std::printf("The sender alone: %s frames/s, %s, into a sink that only counts (%s lost)\n",
              HumanRate(ceiling->counted_per_second).c_str(),
              HumanBitRate(ceiling->bits_per_second).c_str(),
              HumanCount(ceiling->sent - std::min(ceiling->sent, ceiling->counted)).c_str());
  return absl::OkStatus();
}

// Which clocks the delay is taken by, besides that of the processes.
absl::Status ChooseClock(const LiveCommand& command, LiveRunOptions& options) {
  if (command.timestamps == "process") return absl::OkStatus();
  if (command.profile.probe_every == 0) {
    return absl::InvalidArgumentError(
        "--timestamps are those of probes: say --probe-every 1000 as well");
  }
  PortDelayOptions port{
      .sender = command.wire.send_on,
      .listener = command.wire.listen_on,
      .clock = command.timestamps == "hardware" ? StampClock::kHardware : StampClock::kKernel,
      .clocks_agree = command.clocks_agree};
  if (command.timestamps == "auto") {
    const ClockChoice best = BestClock(port);
    for (const std::string& why : best.refusals) std::fprintf(stderr, "note: %s\n", why.c_str());
    options.port_delay_needed = false;
    if (best.clock == StampClock::kProcess) return absl::OkStatus();
    port.clock = best.clock;
  } else if (auto status = CheckClock(port); !status.ok()) {
    return status;
  }
  options.port_delay = port;
  return absl::OkStatus();
}

LiveRunOptions RunOptionsOf(const LiveCommand& command, bool sends) {
  LiveRunOptions options;
  options.profile = command.profile;
  options.engine = MakeEngineOptions(command.engine, command.profile, command.wire.listen_on);
  options.verify = !command.time_only;
  if (sends) options.send = command.wire.send;
  options.send_cpu = command.wire.send_cpu;
  options.quiet_ns = static_cast<int64_t>(command.quiet_s * 1e9);
  options.shared = command.shared;
  options.interrupted = Interrupted;
  return options;
}

int Run(LiveCommand& command) {
  if (!command.wire.veth && (command.wire.send_on.empty() || command.wire.listen_on.empty()))
    return Misused("name --send-on and --listen-on, or try --veth");
  MakeRoomFor(command.profile, command.wire);
  const auto veth = MakeWire(command.wire, command.engine);
  if (!veth.ok()) return Failed(veth.status());
  SpreadOverProcessors(command.wire, command.engine);
  LiveRunOptions options = RunOptionsOf(command, true);
  if (auto status = ChooseClock(command, options); !status.ok()) return Failed(status);
  // On a pair of our own the program that lets frames pass stands where the sink would.
  if (!command.no_ceiling && !command.wire.veth && command.outputs.json != "-") {
    if (auto status = TellCeiling(command); !status.ok()) return Failed(status);
  }
  return Tell(command.profile, RunLive(std::move(options)), command.outputs, command.shared);
}

int Receive(LiveCommand& command) {
  return Tell(command.profile, RunLive(RunOptionsOf(command, false)), command.outputs,
              command.shared);
}

int Send(LiveCommand& command) {
  command.wire.send.interface = command.wire.send_on;
  MakeRoomFor(command.profile, command.wire);
  auto model = TrafficModel::Create(command.profile);
  if (!model.ok()) return Failed(model.status());
  std::vector<std::string> notes;
  auto sender = OpenSender(command.wire.send, &notes);
  for (const std::string& note : notes) std::printf("note: %s\n", note.c_str());
  if (!sender.ok()) return Failed(sender.status());
  if (command.wire.send_cpu >= 0) {
    if (auto status = PinThread({&command.wire.send_cpu, 1}); !status.ok()) return Failed(status);
  }
  constexpr size_t kFramesAtOnce = 4096;
  while (!Interrupted()) {
    const std::span<const Frame> frames = (*model)->Next(kFramesAtOnce);
    if (frames.empty()) break;
    if (auto status = (*sender)->Send(frames); !status.ok()) return Failed(status);
  }
  if (auto status = (*sender)->Finish(); !status.ok()) return Failed(status);
  const SendProgress progress = (*sender)->progress();
  std::printf("%s frames sent by %s, %s refused: %s frames/s, %s\n",
              HumanCount((*sender)->sent()).c_str(), NameOf((*sender)->method()),
              HumanCount((*sender)->refused()).c_str(),
              HumanRate(progress.FramesPerSecond()).c_str(),
              HumanBitRate(progress.BitsPerSecond()).c_str());
  return (*sender)->refused() > 0;
}

int Sink(const LiveCommand& command) {
  auto sink = CountingSink::Attach(command.wire.listen_on);
  if (!sink.ok()) return Failed(sink.status());
  const absl::Time end = command.duration_s > 0 ? absl::Now() + absl::Seconds(command.duration_s)
                                                : absl::InfiniteFuture();
  SinkCounts before;
  std::printf("counting what %s receives%s; the host gets none of it until this ends\n",
              command.wire.listen_on.c_str(),
              (*sink)->generic() ? " (generic XDP: slower than the driver's own)" : "");
  while (!Interrupted() && absl::Now() < end) {
    absl::SleepFor(std::min(absl::Seconds(1), end - absl::Now()));
    const SinkCounts now = (*sink)->counts();
    std::printf("%s frames/s, %s; %s frames in all\n",
                HumanRate(static_cast<double>(now.frames - before.frames)).c_str(),
                HumanBitRate(static_cast<double>(now.bytes - before.bytes) * 8).c_str(),
                HumanCount(now.frames).c_str());
    std::fflush(stdout);
    before = now;
  }
  return 0;
}

int Make(const LiveCommand& command) {
  auto model = TrafficModel::Create(command.profile);
  if (!model.ok()) return Failed(model.status());
  if (auto status = WriteCapture(**model, command.file); !status.ok()) return Failed(status);
  if (command.file == "-") return 0;
  const Truth& truth = (*model)->truth();
  std::printf("%s: %s frames, %s, %s flows, seed %s\n", command.file.c_str(),
              HumanCount(truth.frames).c_str(), HumanBytes(truth.wire_bytes).c_str(),
              HumanCount(truth.flows.size()).c_str(), std::to_string(command.profile.seed).c_str());
  return 0;
}

int SendAgain(LiveCommand& command) {
  auto replay =
      Replay::Open(command.file, {.speed = command.speed,
                                  .loops = command.loops,
                                  .most_frame_bytes = command.wire.send.most_frame_bytes});
  if (!replay.ok()) return Failed(replay.status());
  std::vector<std::string> notes;
  command.wire.send.interface = command.wire.send_on;
  auto sender = OpenSender(command.wire.send, &notes);
  for (const std::string& note : notes) std::printf("note: %s\n", note.c_str());
  if (!sender.ok()) return Failed(sender.status());
  if (command.wire.send_cpu >= 0) {
    if (auto status = PinThread({&command.wire.send_cpu, 1}); !status.ok()) return Failed(status);
  }
  bool more = true;
  while (more && !Interrupted()) {
    const auto stepped = (*replay)->Step(**sender);
    if (!stepped.ok()) return Failed(stepped.status());
    more = *stepped;
  }
  if (auto status = (*sender)->Finish(); !status.ok()) return Failed(status);
  const ReplayCounts& counts = (*replay)->counts();
  const SendProgress progress = (*sender)->progress();
  std::printf(
      "%s frames sent by %s, %s refused, %s left out (no Ethernet, or too long): "
      "%s frames/s, at most %s late\n",
      HumanCount((*sender)->sent()).c_str(), NameOf((*sender)->method()),
      HumanCount((*sender)->refused()).c_str(), HumanCount(counts.unsendable).c_str(),
      HumanRate(progress.FramesPerSecond()).c_str(), HumanDuration(counts.latest_ns).c_str());
  return (*sender)->refused() + counts.unsendable > 0;
}

using Action = int (*)(LiveCommand&);

// A subcommand whose action runs when it is named.
std::pair<CLI::App*, std::shared_ptr<LiveCommand>> AddCommand(CLI::App& app, int& status,
                                                              const char* name, const char* help,
                                                              Action action) {
  CLI::App* const sub = app.add_subcommand(name, help);
  const auto command = std::make_shared<LiveCommand>();
  sub->callback([command, action, &status] { status = action(*command); });
  return {sub, command};
}

void AddClockOptions(CLI::App& sub, LiveCommand& command) {
  constexpr char kGroup[] = "The delay of probes";
  sub.add_option(
         "--timestamps", command.timestamps,
         "Whose clock: process (default: from the sending process to the consumer); besides "
         "that, from port to port, hardware or kernel; auto: the best there is")
      ->check(CLI::IsMember({"process", "kernel", "hardware", "auto"}).description(""))
      ->type_name("CLOCK")
      ->group(kGroup);
  sub.add_flag("--clocks-agree", command.clocks_agree,
               "The ports have a hardware clock each, and phc2sys keeps them equal")
      ->group(kGroup);
}

void AddListening(CLI::App& sub, LiveCommand& command) {
  constexpr char kGroup[] = "The run";
  sub.add_flag("--time-only", command.time_only,
               "Nobody looks at what is delivered, so that only the engine costs")
      ->group(kGroup);
  sub.add_flag("--shared", command.shared, "Others use the interface, too: that is no fault")
      ->group(kGroup);
  sub.add_option("--quiet-s", command.quiet_s, "Ends when no frame came for so long (1)")
      ->type_name("S")
      ->group(kGroup);
}

}  // namespace

void AddMakeCommand(CLI::App& app, int& status) {
  const auto [sub, command] =
      AddCommand(app, status, "make", "Write a capture file (pcap, nanoseconds)",
                 [](LiveCommand& named) { return Make(named); });
  sub->add_option("-w,--write", command->file, "- is standard output")
      ->required()
      ->type_name("FILE");
  AddTrafficOptions(*sub, command->profile);
}

void AddLiveCommands(CLI::App& app, int& status) {
  {
    const auto [sub, command] = AddCommand(
        app, status, "run", "Send on one interface, try an engine on another, judge it", Run);
    AddWireOptions(*sub, command->wire);
    AddSendOptions(*sub, command->wire);
    AddTrafficOptions(*sub, command->profile);
    AddEngineOptions(*sub, command->engine, true);
    AddListening(*sub, *command);
    sub->add_flag("--no-ceiling", command->no_ceiling,
                  "Do not measure first how fast the sender is alone")
        ->group("The run");
    AddClockOptions(*sub, *command);
    AddOutputOptions(*sub, command->outputs);
  }
  {
    const auto [sub, command] =
        AddCommand(app, status, "send", "Only send; another process or machine listens", Send);
    sub->add_option("--on", command->wire.send_on, "Interface that sends")
        ->required()
        ->type_name("IFACE");
    AddSendOptions(*sub, command->wire);
    AddTrafficOptions(*sub, command->profile);
  }
  {
    const auto [sub, command] =
        AddCommand(app, status, "receive",
                   "Only try an engine; another process sends the same seed and options", Receive);
    sub->add_option("--on", command->wire.listen_on, "Interface that is watched")
        ->required()
        ->type_name("IFACE");
    AddTrafficOptions(*sub, command->profile);
    AddEngineOptions(*sub, command->engine, true);
    AddListening(*sub, *command);
    AddOutputOptions(*sub, command->outputs);
  }
  {
    const auto [sub, command] = AddCommand(
        app, status, "replay", "Send a capture file's frames, as recorded or faster", SendAgain);
    sub->add_option("file", command->file, "pcap or pcapng; - is standard input")
        ->required()
        ->type_name("FILE");
    sub->add_option("--on", command->wire.send_on, "Interface that sends")
        ->required()
        ->type_name("IFACE");
    sub->add_option(
           "--speed", command->speed,
           "Of the recorded gaps: 2 halves them; 0: none, as --rate or the sender allows (1)")
        ->check(CLI::Range(0.0, 1e6).description(""))
        ->type_name("X");
    sub->add_option("--longest", command->wire.send.most_frame_bytes,
                    "Longer frames of the file are left out (1514)")
        ->check(CLI::Range(60u, 65'550u).description(""))
        ->type_name("BYTES");
    sub->add_option("--loops", command->loops, "Times that the file is sent; 0: until Ctrl-C (1)")
        ->type_name("N");
    AddSendOptions(*sub, command->wire);
  }
  {
    const auto [sub, command] =
        AddCommand(app, status, "sink", "Only count frames: is the sender as fast as it should be?",
                   [](LiveCommand& named) { return Sink(named); });
    sub->add_option("--on", command->wire.listen_on, "Interface that receives")
        ->required()
        ->type_name("IFACE");
    sub->add_option("--duration", command->duration_s, "Seconds (until Ctrl-C)")->type_name("S");
  }
}

}  // namespace weir::load

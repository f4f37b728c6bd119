#include <CLI/CLI.hpp>
#include <memory>
#include <set>

#include "tools/load/command/commands.h"
#include "tools/load/command/engine_options.h"
#include "tools/load/command/run_outputs.h"
#include "tools/load/command/traffic_options.h"
#include "tools/load/run/memory_run.h"
#include "tools/weir/parse.h"

namespace weir::load {
namespace {

struct MemoryCommand {
  TrafficProfile profile;
  EngineChoice engine;
  RunOutputs outputs;
  uint32_t umem_chunk_bytes = 0;
  bool cold = false;
  bool time_only = false;
  uint64_t warm_up = 0;
};

int Run(const MemoryCommand& command) {
  MemoryRunOptions options;
  options.profile = command.profile;
  options.shard = MakeShardOptions(command.engine, command.profile);
  options.shards = command.engine.shards;
  options.cpus = command.engine.cpus;
  if (command.cold) options.ring_blocks = 1024;
  options.umem_chunk_bytes = command.umem_chunk_bytes;
  options.verify = !command.time_only;
  options.warm_up = command.warm_up;
  return Tell(command.profile, RunInMemory(options), command.outputs);
}

}  // namespace

void AddMemoryCommand(CLI::App& app, int& status) {
  CLI::App* const memory = app.add_subcommand(
      "memory", "Give the frames to an engine in this process, without the kernel");
  const auto command = std::make_shared<MemoryCommand>();
  AddTrafficOptions(*memory, command->profile);
  AddEngineOptions(*memory, command->engine, false);
  constexpr char kGroup[] = "The run";
  memory
      ->add_option("--umem", command->umem_chunk_bytes,
                   "Frames in chunks of 2048 or 4096 bytes, as AF_XDP has them (UMEM); else in "
                   "TPACKET_V3 blocks")
      ->check(CLI::IsMember(std::set<uint32_t>{2048, 4096}).description(""))
      ->type_name("BYTES")
      ->group(kGroup);
  memory
      ->add_flag("--cold", command->cold,
                 "A ring of 256 MiB in all, read long after they were written; else 8 MiB")
      ->group(kGroup);
  memory
      ->add_flag("--time-only", command->time_only,
                 "Nobody looks at what is delivered, so that only the engine costs")
      ->group(kGroup);
  memory
      ->add_option_function<std::string>(
          "--warm-up",
          [command](const std::string& text) {
            const auto count = ParseCount(text);
            if (!count.ok()) throw CLI::ValidationError(std::string(count.status().message()));
            command->warm_up = *count;
          },
          "Frames before time is taken (0)")
      ->type_name("N")
      ->group(kGroup);
  AddOutputOptions(*memory, command->outputs);
  memory->callback([command, &status] { status = Run(*command); });
}

}  // namespace weir::load

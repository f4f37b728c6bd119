// weir-load: see --help.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "tools/load/command/commands.h"

namespace {

constexpr char kDescription[] =
    "weir-load makes traffic whose truth is known, gives it to an engine, and says what was lost,\n"
    "late or wrong. The same seed and options give the same frames, on any machine.\n";

constexpr char kExamples[] = R"(Examples:
  weir-load make -w mix.pcap --flows 10k --reorder 5% --loss 0.1%
                                        a capture file
  weir-load memory --flows 100k         the engine without the kernel: exactness and cost
  sudo weir-load run --veth --rate 500k --probe-every 100
                                        an engine on a veth pair of its own
  sudo weir-load search --veth --frames 60,1514 --picture rate.svg
                                        the highest rate without loss
  sudo weir-load run --send-on eth1 --listen-on eth2 --frame imix --rate 9Gbit --json result.json
                                        between two ports that are joined by a cable
  sudo weir-load send --on eth1 --seed 7 --packets 100M      on one machine, and
  sudo weir-load receive --on eth1 --seed 7 --packets 100M   on the other
  sudo weir-load replay seen.pcap --on eth1 --speed 10

Exit status: 0 all is as it was sent, or was dropped by a counter with a name; 1 something is wrong,
or failed; 2 wrong usage.)";

int Run(int argc, char** argv) {
  CLI::App app(kDescription, "weir-load");
  app.footer(kExamples);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  int status = 0;
  weir::load::AddMakeCommand(app, status);
  weir::load::AddMemoryCommand(app, status);
  weir::load::AddLiveCommands(app, status);
  weir::load::AddSearchCommand(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weir-load: %s\n", error.what());
    return 1;
  }
}

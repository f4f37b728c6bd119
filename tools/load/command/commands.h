// The subcommands of weir-load: each adds its options to `app`, and its action, which sets the exit
// status, when the command line names it.
#pragma once

namespace CLI {
class App;
}

namespace weir::load {

void AddMakeCommand(CLI::App& app, int& status);
void AddMemoryCommand(CLI::App& app, int& status);
void AddLiveCommands(CLI::App& app, int& status);  // run, send, receive, sink, replay
void AddSearchCommand(CLI::App& app, int& status);

}  // namespace weir::load

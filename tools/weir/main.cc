#include <cstdio>
#include <string_view>

#include "tools/doctor/doctor_command.h"
#include "tools/weir/options.h"
#include "tools/weir/run.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "doctor")
    return weir::doctor::RunDoctor({argv + 2, argv + argc});
  const weir::CommandLine command = weir::ParseCommandLine(argc, argv);
  if (!command.options) {
    std::fputs(command.text.c_str(), command.exit_status == 0 ? stdout : stderr);
    return command.exit_status;
  }
  return weir::Run(*command.options);
}

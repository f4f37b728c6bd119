#include <cstdio>

#include "tools/weir/options.h"
#include "tools/weir/run.h"

int main(int argc, char** argv) {
  const weir::CommandLine command = weir::ParseCommandLine(argc, argv);
  if (!command.options) {
    std::fputs(command.text.c_str(), command.exit_status == 0 ? stdout : stderr);
    return command.exit_status;
  }
  return weir::Run(*command.options);
}

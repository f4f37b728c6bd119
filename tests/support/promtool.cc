#include "tests/support/promtool.h"

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace weir::test {

bool HasPromtool() { return std::system("command -v promtool >/dev/null") == 0; }

std::string Promtool(const std::string& arguments, const std::string& input) {
  const TemporaryFolder folder;
  std::ofstream(folder.File("in")) << input;
  const std::string command = "promtool " + arguments + " <" + folder.File("in") + " >" +
                              folder.File("out") + " 2>" + folder.File("err");
  const int status = std::system(command.c_str());
  const std::string complaints = ReadFile(folder.File("err"));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && complaints.empty()) return "";
  return "promtool " + arguments + ": " + complaints + ReadFile(folder.File("out"));
}

}  // namespace weir::test

// Runs a line of shell and keeps what it said: for whole programs that end by themselves.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace weir::test {

struct Said {
  int status = -1;   // exit status, or 128 when a signal ended it
  std::string text;  // standard output and error
};

inline Said RunShell(const std::string& line) {
  std::FILE* const pipe = popen((line + " 2>&1").c_str(), "re");
  if (pipe == nullptr) std::abort();
  Said said;
  char buffer[4096];
  for (size_t count; (count = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    said.text.append(buffer, count);
  const int status = pclose(pipe);
  said.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return said;
}

}  // namespace weir::test

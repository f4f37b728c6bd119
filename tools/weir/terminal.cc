#include "tools/weir/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace weir {

bool IsTerminal(FILE* stream) { return isatty(fileno(stream)) == 1; }

TerminalExtent TerminalSize(FILE* stream) {
  winsize size;
  TerminalExtent extent;
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
    extent.rows = size.ws_row;
    extent.columns = size.ws_col;
  }
  return extent;
}

std::string FitWidth(std::string_view line, int columns) {
  return std::string(line.substr(0, static_cast<size_t>(std::max(columns, 0))));
}

}  // namespace weir

// The terminal behind a stream. Thread: any.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace weir {

struct TerminalExtent {
  int rows = 24;
  int columns = 80;
};

bool IsTerminal(FILE* stream);

// 24 by 80 where the terminal does not say.
TerminalExtent TerminalSize(FILE* stream);

// The first `columns` letters of `line`. ASCII only: all we print is.
std::string FitWidth(std::string_view line, int columns);

}  // namespace weir

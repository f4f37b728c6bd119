// One run of the command, from opening the source to the report.
#pragma once

#include "tools/weir/options.h"

namespace weir {

// Returns the exit status: 0 done, 1 failed, 2 what was asked for makes no sense (a filter that
// does not parse). Says on standard error what went wrong.
int Run(const CommandOptions& options);

}  // namespace weir

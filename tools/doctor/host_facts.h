// Asks about the machine and about this process's privileges. Nothing is changed.
#pragma once

#include <string>

#include "tools/doctor/facts.h"

namespace weir::doctor {

// `root`: stands before /proc and /sys.
HostFacts LookAtHost(const std::string& root = "");

}  // namespace weir::doctor

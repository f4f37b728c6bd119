// weir doctor IFACE: looks at an interface and at the machine, and says what to mend.
#pragma once

#include <string>
#include <vector>

#include "tools/doctor/finding.h"

namespace weir::doctor {

// The arguments behind the word "doctor". Returns the exit status: 0 nothing to mend, 1 something
// is, or the interface could not be looked at, 2 wrong usage.
int RunDoctor(const std::vector<std::string>& arguments);

// For people.
std::string Describe(const std::string& interface, const std::vector<Finding>& findings);

}  // namespace weir::doctor

// What the facts mean for weir, and the commands that mend what is wrong. Pure.
#pragma once

#include <vector>

#include "tools/doctor/doctor_options.h"
#include "tools/doctor/facts.h"
#include "tools/doctor/finding.h"

namespace weir::doctor {

std::vector<Finding> Judge(const DoctorOptions& options, const LinkFacts& link,
                           const HostFacts& host, const SteeringFacts& steering,
                           const BackendFacts& backend);

}  // namespace weir::doctor

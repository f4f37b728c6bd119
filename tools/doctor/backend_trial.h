// Which rung of the ladder of back-ends weir would take on an interface.
#pragma once

#include "tools/doctor/doctor_options.h"
#include "tools/doctor/facts.h"

namespace weir::doctor {

// Opens the interface as weir would, with its rings and filters, and closes it again. With AF_XDP
// frames are taken away from the host meanwhile.
BackendFacts TryBackends(const DoctorOptions& options);

}  // namespace weir::doctor

// Whether the files that a run makes later (rotation, streams, what opens at the first frame) can
// be made by whom it goes on as.
#pragma once

#include "absl/status/status.h"
#include "tools/weir/options.h"

namespace weir {

// After GiveUpPrivileges. OK, or what cannot be made and what to do.
absl::Status CheckFolders(const CommandOptions& options);

}  // namespace weir

// What the options say of frames that do not count: rules, and expressions on capture files.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/packet/packet_filter.h"
#include "rings/filter_rules.h"
#include "rings/frame_source.h"
#include "tools/weir/options.h"

namespace weir {

// --ip-only, --vlan, --ignore-dst and --accept-src, the lists read anew; null: none was given.
// Errors name the line of a list.
absl::StatusOr<std::shared_ptr<const FilterRules>> MakeRules(const CommandOptions& options);

// --filter on a capture file; on an interface (`file` null) it runs in the kernel. Errors name the
// place in the expression.
absl::StatusOr<std::vector<std::shared_ptr<PacketFilter>>> MakeFilters(
    const CommandOptions& options, const FrameSource* file);

}  // namespace weir

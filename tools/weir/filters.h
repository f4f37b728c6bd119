// What the kernel does not filter: lists of networks, and expressions on capture files.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/packet/packet_filter.h"
#include "rings/frame_source.h"
#include "tools/weir/options.h"

namespace weir {

// The filters that frames must pass, in the order of their cost. Errors name the line of a list, or
// the place in an expression.
absl::StatusOr<std::vector<std::shared_ptr<PacketFilter>>> MakeFilters(
    const CommandOptions& options, const FrameSource* file);

}  // namespace weir

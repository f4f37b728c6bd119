#include "tools/weir/filters.h"

namespace weir {

absl::StatusOr<std::vector<std::shared_ptr<PacketFilter>>> MakeFilters(
    const CommandOptions& options) {
  const bool expression = !options.filter.empty() && !options.live_capture();
  if (expression || !options.ignore_dst.empty() || !options.accept_src.empty()) {
    return absl::UnimplementedError("filters on capture files are not there yet");
  }
  return std::vector<std::shared_ptr<PacketFilter>>();
}

}  // namespace weir

#include "tools/weir/filters.h"

#include "engine/packet/cidr_filter.h"
#include "tools/expression_filter.h"

namespace weir {
namespace {

uint16_t FirstLinkType(const FrameSource& source) {
  const auto interfaces = source.interfaces();
  return interfaces.empty() ? link_type::kEthernet : interfaces.front().link_type;
}

}  // namespace

absl::StatusOr<std::vector<std::shared_ptr<PacketFilter>>> MakeFilters(
    const CommandOptions& options, const FrameSource* file) {
  std::vector<std::shared_ptr<PacketFilter>> filters;
  if (!options.accept_src.empty() || !options.ignore_dst.empty()) {
    auto networks = CidrFilter::FromFiles(options.accept_src, options.ignore_dst);
    if (!networks.ok()) return networks.status();
    filters.push_back(*std::move(networks));
  }
  // On an interface the kernel filters: see PacketSourceOptions.
  if (!options.filter.empty() && file != nullptr) {
    auto expression = ExpressionFilter::Create(options.filter, FirstLinkType(*file));
    if (!expression.ok()) return expression.status();
    filters.push_back(*std::move(expression));
  }
  return filters;
}

}  // namespace weir

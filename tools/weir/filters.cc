#include "tools/weir/filters.h"

#include "engine/expression_filter.h"

namespace weir {
namespace {

uint16_t FirstLinkType(const FrameSource& source) {
  const auto interfaces = source.interfaces();
  return interfaces.empty() ? link_type::kEthernet : interfaces.front().link_type;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const FilterRules>> MakeRules(const CommandOptions& options) {
  FilterRules rules{.ip_only = options.ip_only, .vlans = options.vlans};
  if (auto status = ReadLists(options.ignore_dst, options.accept_src, rules); !status.ok()) {
    return status;
  }
  if (rules.empty()) return std::shared_ptr<const FilterRules>();
  return std::make_shared<const FilterRules>(std::move(rules));
}

absl::StatusOr<std::vector<std::shared_ptr<PacketFilter>>> MakeFilters(
    const CommandOptions& options, const FrameSource* file) {
  std::vector<std::shared_ptr<PacketFilter>> filters;
  if (!options.filter.empty() && file != nullptr) {
    auto expression = ExpressionFilter::Create(options.filter, FirstLinkType(*file));
    if (!expression.ok()) return expression.status();
    filters.push_back(*std::move(expression));
  }
  return filters;
}

}  // namespace weir

#include "tools/weir/filters.h"

#include "engine/rules_filter.h"
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
  FilterRules rules;
  if (auto status = ReadLists(options.ignore_dst, options.accept_src, rules); !status.ok()) {
    return status;
  }
  if (!rules.empty()) {
    filters.push_back(
        std::make_shared<RulesFilter>(std::make_shared<const FilterRules>(std::move(rules))));
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

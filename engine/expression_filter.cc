#include "engine/expression_filter.h"

namespace weir {

absl::StatusOr<std::shared_ptr<PacketFilter>> ExpressionFilter::Create(
    const std::string& expression, uint16_t link_type) {
  auto compiled = FrameExpression::Compile(expression, link_type);
  if (!compiled.ok()) return compiled.status();
  return std::make_shared<ExpressionFilter>(*std::move(compiled));
}

void ExpressionFilter::Apply(std::span<const Frame> frames, std::span<Packet> packets) {
  for (size_t i = 0; i < frames.size(); ++i) {
    if (packets[i].verdict == Verdict::kFiltered) continue;
    if (!expression_->Matches(frames[i])) Refuse(packets[i], FilterReason::kExpression);
  }
}

}  // namespace weir

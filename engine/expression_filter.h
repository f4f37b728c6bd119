// An expression in the shard: for files, for AF_XDP, and where the kernel cannot say it. See
// rings/frame_expression.h. Each shard has its own.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "engine/packet/packet_filter.h"
#include "rings/frame_expression.h"

namespace weir {

class ExpressionFilter : public PacketFilter {
 public:
  explicit ExpressionFilter(std::unique_ptr<FrameExpression> expression)
      : expression_(std::move(expression)) {}

  // `link_type` of the source's first interface: errors are about it.
  static absl::StatusOr<std::shared_ptr<PacketFilter>> Create(const std::string& expression,
                                                              uint16_t link_type);

  void Apply(std::span<const Frame> frames, std::span<Packet> packets) override;

 private:
  std::unique_ptr<FrameExpression> expression_;
};

}  // namespace weir

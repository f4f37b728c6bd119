// FilterRules (rings/filter_rules.h) in the shard: for files, and where the kernel cannot do it.
#pragma once

#include <memory>
#include <utility>

#include "engine/packet/packet_filter.h"
#include "rings/filter_rules.h"

namespace weir {

class RulesFilter : public PacketFilter {
 public:
  explicit RulesFilter(std::shared_ptr<const FilterRules> rules) : rules_(std::move(rules)) {}

  void Apply(std::span<const Frame> frames, std::span<Packet> packets) override;

 private:
  std::shared_ptr<const FilterRules> rules_;
};

}  // namespace weir

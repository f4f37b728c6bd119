// Payload sizes by their weights.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tools/load/traffic/profile.h"
#include "tools/load/traffic/random.h"

namespace weir::load {

class SegmentSizes {
 public:
  SegmentSizes(const std::vector<SizeShare>& shares, SizeUnit unit) : shares_(shares), unit_(unit) {
    for (const SizeShare& share : shares_) weights_ += share.weight;
  }

  // `header_bytes`: what stands in front of the payload.
  uint32_t Next(Random& random, uint32_t header_bytes) const {
    const uint32_t bytes = Pick(random);
    if (unit_ == SizeUnit::kPayload) return bytes;
    return bytes - std::min(bytes, header_bytes);
  }
  // The most that Next can give.
  uint32_t Most(uint32_t least_header_bytes) const {
    uint32_t most = 0;
    for (const SizeShare& share : shares_) most = std::max(most, share.bytes);
    return unit_ == SizeUnit::kPayload ? most : most - std::min(most, least_header_bytes);
  }

 private:
  uint32_t Pick(Random& random) const {
    if (shares_.size() == 1) return shares_[0].bytes;
    uint32_t number = random.Below(weights_);
    size_t i = 0;
    while (number >= shares_[i].weight) number -= shares_[i++].weight;
    return shares_[i].bytes;
  }

  std::vector<SizeShare> shares_;
  SizeUnit unit_;
  uint32_t weights_ = 0;
};

}  // namespace weir::load

// Frames with their bytes, which frames only point at.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tests/support/packet_builder.h"

namespace weir::test {

class FrameList {
 public:
  void Add(Bytes bytes, int64_t time_ns) {
    bytes_.push_back(std::move(bytes));
    times_.push_back(time_ns);
  }
  // They live as long as this object, and until the next Add.
  std::vector<Frame> Build() const {
    std::vector<Frame> frames;
    for (size_t i = 0; i < bytes_.size(); ++i) {
      frames.push_back(AsFrame(bytes_[i], link_type::kEthernet, times_[i]));
    }
    return frames;
  }

 private:
  std::vector<Bytes> bytes_;
  std::vector<int64_t> times_;
};

}  // namespace weir::test

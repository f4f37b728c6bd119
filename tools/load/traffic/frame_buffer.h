// The frames of one call of TrafficModel::Next, one behind the other in memory that is used again
// and again.
//
// Thread: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "rings/frame.h"

namespace weir::load {

class FrameBuffer {
 public:
  explicit FrameBuffer(uint32_t most_frame_bytes)
      : room_(Aligned(std::max(most_frame_bytes, kLeastFrameBytes))) {}

  // Starts anew, with room for so many frames.
  void Clear(size_t count) {
    if (frames_.size() < count) {
      bytes_.resize(count * room_);
      frames_.resize(count);
    }
    count_ = used_ = 0;
  }
  // Where the next frame is written: room for the longest.
  uint8_t* next() { return bytes_.data() + used_; }
  // `bytes` were written there. Returns the frame's length: short ones are filled up with zeros.
  uint32_t Add(uint32_t bytes, int64_t timestamp_ns) {
    if (bytes < kLeastFrameBytes) {
      std::memset(next() + bytes, 0, kLeastFrameBytes - bytes);
      bytes = kLeastFrameBytes;
    }
    Frame& frame = frames_[count_++];
    frame.data = next();
    frame.timestamp_ns = timestamp_ns;
    frame.captured_length = frame.wire_length = bytes;
    used_ += Aligned(bytes);
    return bytes;
  }
  void RepeatLast(int64_t timestamp_ns) {
    const Frame& last = frames_[count_ - 1];
    std::memcpy(next(), last.data, last.captured_length);
    Add(last.captured_length, timestamp_ns);
  }

  std::span<const Frame> frames() const { return {frames_.data(), count_}; }

 private:
  static constexpr uint32_t kLeastFrameBytes = 60;  // IEEE 802.3, without frame check sequence
  static size_t Aligned(size_t bytes) { return (bytes + 15) & ~size_t{15}; }

  const size_t room_;
  std::vector<uint8_t> bytes_;
  std::vector<Frame> frames_;  // their other fields stay as they are made
  size_t count_ = 0;           // of frames
  size_t used_ = 0;            // bytes
};

}  // namespace weir::load

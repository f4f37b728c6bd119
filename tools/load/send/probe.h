// Where a probe (tools/load/traffic/payload.h) bears its send time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "tools/load/traffic/payload.h"

namespace weir::load {

// Offset of the send time, 8 bytes; 0: the frame is no probe.
inline uint32_t ProbeTimeOffset(std::span<const uint8_t> frame) {
  if (frame.size() < kProbeFrameBytes) return 0;
  uint64_t mark;
  std::memcpy(&mark, frame.data() + kProbeOffset, sizeof mark);
  return mark == kProbeMark ? kProbeOffset + offsetof(ProbePayload, sent_ns) : 0;
}

}  // namespace weir::load

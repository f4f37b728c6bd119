// How fast a sender is by itself: into a sink that only counts. What an engine takes of it
// afterwards says nothing about the engine once it comes near.
#pragma once

#include <span>

#include "absl/status/statusor.h"
#include "rings/frame.h"
#include "tools/load/send/counting_sink.h"
#include "tools/load/send/sender.h"

namespace weir::load {

struct Ceiling {
  uint64_t sent = 0;     // frames that left
  uint64_t refused = 0;  // that the device did not take
  uint64_t counted = 0;  // that the sink saw: fewer than sent are a loss on the way
  double sent_per_second = 0;
  double counted_per_second = 0;
  double bits_per_second = 0;  // of what was counted, on the wire (24 bytes a frame more)
};

// Sends `frames` over and over for so long, at the sender's rate, if it has one. It must be new,
// and the sink stand on what receives from it.
absl::StatusOr<Ceiling> ProveCeiling(FrameSender& sender, const CountingSink& sink,
                                     std::span<const Frame> frames, double seconds);

}  // namespace weir::load

// The highest rate without loss: RFC 2544 section 26.1, by bisection.
//
// A trial sends for a while at one rate; it passes when every frame was received. One that fails is
// repeated, and fails for good when most of its repetitions fail: what else the machine does must
// not look like a limit. Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"

namespace weir::load {

struct Trial {
  double wanted = 0;    // frames per second; 0: as fast as the sender can
  double sent_at = 0;   // really
  uint64_t frames = 0;  // that were sent
  uint64_t lost = 0;    // of these
};

struct NoLossRate {
  double frames_per_second = 0;  // really sent, in the best trial without loss; 0: none was
  // The sender at its fastest lost nothing: the engine's limit is higher.
  bool limited_by_sender = false;
  double sender_ceiling = 0;  // frames per second
  std::vector<Trial> trials;
};

struct SearchOptions {
  double resolution = 0.01;  // ends when the bounds are so near each other
  int repetitions = 3;       // of a trial that fails: 1, 3, 5...
  double least = 1'000;      // frames per second: below it the search gives up
};

// Sends at so many frames per second (0: as fast as it can), and says what came of it.
using RunTrial = std::function<absl::StatusOr<Trial>(double frames_per_second)>;

absl::StatusOr<NoLossRate> SearchNoLossRate(const SearchOptions& options, const RunTrial& run);

}  // namespace weir::load

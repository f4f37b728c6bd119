// The highest rate without loss: RFC 2544 section 26.1, by bisection.
//
// A trial sends for a while at one rate. A rate passes when one of a few trials really sent at it
// and every frame was received. What else a machine does takes from the sender and from the
// receiver, now and then, and never gives: so the best of some trials is what both can do.
//
// The sender's own ceiling comes first, by trials as fast as it can, a few at least and until the
// two best agree. Where it loses nothing there, that is the result, and a statement about the
// sender. Thread: one.
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
  // Nothing was lost as fast as the sender could: the engine's limit is higher.
  bool limited_by_sender = false;
  double sender_ceiling = 0;  // frames per second
  std::vector<Trial> trials;
};

struct SearchOptions {
  double resolution = 0.01;  // ends when the bounds are so near each other; how near is equal
  int tries = 5;             // of a rate, until it passes; of the ceiling 3 to 8 times as many
  double least = 1'000;      // frames per second: below it the search gives up
};

// Sends at so many frames per second (0: as fast as it can), and says what came of it.
using RunTrial = std::function<absl::StatusOr<Trial>(double frames_per_second)>;

absl::StatusOr<NoLossRate> SearchNoLossRate(const SearchOptions& options, const RunTrial& run);

}  // namespace weir::load

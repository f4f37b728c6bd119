// Whose turn it is: the places of open flows, by their popularity. Turns are drawn some time before
// they are taken, so that what they need can be on its way from memory.
//
// Thread: one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "tools/load/traffic/profile.h"
#include "tools/load/traffic/random.h"
#include "tools/load/traffic/zipf_table.h"

namespace weir::load {

class FlowPicker {
 public:
  explicit FlowPicker(const TrafficProfile& profile);

  uint32_t Next();
  // Whose turn comes `ahead` (below kAhead) times later: 0 is what Next returns now.
  uint32_t Coming(uint32_t ahead) const { return turns_[(taken_ + ahead) % kTurns]; }
  static constexpr uint32_t kAhead = 48;

 private:
  static constexpr uint32_t kTurns = 64;  // known
  static constexpr uint32_t kDrawn = 8;   // of which only the random number is known

  uint32_t PlaceOf(uint64_t random);

  const uint32_t flows_;
  const bool by_turns_;
  std::optional<ZipfTable> zipf_;
  Random random_;
  uint32_t next_in_turn_ = 0;
  uint32_t taken_ = 0;
  std::array<uint32_t, kTurns> turns_{};
  std::array<uint64_t, kDrawn> drawn_{};
};

}  // namespace weir::load

#include "tools/load/traffic/flow_picker.h"

namespace weir::load {

FlowPicker::FlowPicker(const TrafficProfile& profile)
    : flows_(profile.flows),
      by_turns_(profile.popularity == Popularity::kRoundRobin),
      random_(Mix64(profile.seed + 4)) {
  if (profile.popularity == Popularity::kZipf) zipf_.emplace(flows_, profile.zipf_exponent);
  for (uint64_t& random : drawn_) random = random_.Next();
  for (uint32_t i = 0; i < kTurns; ++i) Next();
}

// What is drawn now becomes a turn kDrawn calls later, and is taken kTurns calls after that.
uint32_t FlowPicker::Next() {
  uint32_t& turn = turns_[taken_ % kTurns];
  uint64_t& drawn = drawn_[taken_ % kDrawn];
  const uint32_t place = turn;
  turn = PlaceOf(drawn);
  drawn = random_.Next();
  if (zipf_) zipf_->Prefetch(drawn);
  ++taken_;
  return place;
}

uint32_t FlowPicker::PlaceOf(uint64_t random) {
  if (zipf_) return zipf_->At(random);
  if (!by_turns_) return static_cast<uint32_t>((random >> 32) * flows_ >> 32);
  const uint32_t place = next_in_turn_++;
  if (next_in_turn_ == flows_) next_in_turn_ = 0;
  return place;
}

}  // namespace weir::load

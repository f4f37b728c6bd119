// Whether a profile can be had.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "tools/load/traffic/profile.h"

namespace weir::load {

// What contradicts itself or is out of range, and what to change.
absl::Status CheckProfile(const TrafficProfile& profile);

// Of the longest frame that a model of this profile may make, with the link header.
uint32_t MostFrameBytes(const TrafficProfile& profile);

}  // namespace weir::load

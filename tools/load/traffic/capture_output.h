// A model's frames as a capture file.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "tools/load/traffic/traffic_model.h"

namespace weir::load {

// Writes all that is still to come of `model` to a pcap file with nanoseconds; "-" is standard
// output. Errors say which file, and what to do.
absl::Status WriteCapture(TrafficModel& model, const std::string& path);

}  // namespace weir::load

// The traffic model on the command line: what each knob of TrafficProfile is called there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/load/traffic/profile.h"

namespace CLI {
class App;
}

namespace weir::load {

// Options that set `profile`, which lives as long as `app` parses. Wrong values end the parsing
// with a message.
void AddTrafficOptions(CLI::App& app, TrafficProfile& profile);

// Values as a person writes them; errors say what would be right.
absl::StatusOr<double> ParseShare(std::string_view text);  // "5%", "0.05"
// "576", "64:7,576:4,1448:1" (bytes:weight), "imix" (frames of 60, 590 and 1514 bytes, 7:4:1).
absl::StatusOr<std::vector<SizeShare>> ParseSizes(std::string_view text);
absl::StatusOr<std::vector<uint16_t>> ParseVlans(std::string_view text);      // "5,7"
absl::StatusOr<std::vector<TunnelKind>> ParseTunnels(std::string_view text);  // "vxlan,gre,ipip"
// "uniform", "turns", "zipf", "zipf=1.2".
absl::Status ParsePopularity(std::string_view text, TrafficProfile& profile);
// "1M" packets a second: k, M; a bit rate has a unit: "9.5Gbit".
struct SendRate {
  double packets_per_second = 0;
  double bits_per_second = 0;
};
absl::StatusOr<SendRate> ParseRate(std::string_view text);

}  // namespace weir::load

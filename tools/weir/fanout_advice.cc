#include "tools/weir/fanout_advice.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace weir {
namespace {

bool CutsFlows(FanoutMode mode) {
  switch (mode) {
    case FanoutMode::kCpu:
    case FanoutMode::kBalance:
    case FanoutMode::kRandom:
    case FanoutMode::kRollover:
      return true;
    case FanoutMode::kHash:
    case FanoutMode::kQueue:
    case FanoutMode::kEbpf:
      return false;
  }
  return false;
}

}  // namespace

std::vector<std::string> FanoutWarnings(const CommandOptions& options,
                                        const std::vector<FanoutMode>& modes) {
  constexpr char kCure[] = ": use --fanout ebpf, or hash, or qm with a symmetric RSS hash";
  std::vector<std::string> warnings;
  const auto cut = std::find_if(modes.begin(), modes.end(), CutsFlows);
  if (cut != modes.end()) {
    const bool dedup = options.dedup.mode != DedupMode::kOff;
    warnings.push_back(absl::StrCat(
        "fanout ", std::string(FanoutModeName(*cut)),
        " cuts flows: their packets go to several shards, each of which reports a part",
        dedup ? ", and dedup misses copies" : "", kCure));
  }
  if (options.live.fanout.rollover && !modes.empty()) {
    warnings.push_back(
        "fanout flag rollover cuts flows when a ring is full: raise --ring-mib, or leave the flag "
        "out");
  }
  return warnings;
}

}  // namespace weir

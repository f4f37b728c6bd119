// What a fanout mode does to flows, said before the run. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "rings/packet_fanout.h"
#include "tools/weir/options.h"

namespace weir {

// One warning for each mode that cuts flows, or separates the copies that dedup looks for, with
// what to use instead. `modes`: those that the kernel uses among several shards.
std::vector<std::string> FanoutWarnings(const CommandOptions& options,
                                        const std::vector<FanoutMode>& modes);

}  // namespace weir

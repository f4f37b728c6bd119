// The report's part on shards. Internal to tools/weir.
#pragma once

#include <string>

#include "tools/weir/report.h"

namespace weir {

// A line for each shard; empty where there is one.
std::string ShardTable(const ReportInput& input);

// Those that have failed, one hint each; flows that were cut between shards.
std::string ShardHints(const ReportInput& input);

}  // namespace weir

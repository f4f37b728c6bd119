// One interval of counters as a person reads it: the busiest rows, `other`, the sum.
#pragma once

#include <string>

#include "engine/stats/counters_merger.h"

namespace weir {

std::string CountersTable(const CountersReport& report, size_t most_rows);

}  // namespace weir

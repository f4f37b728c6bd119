// What a flow table takes from the machine.

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "engine/flow/flow_tracker.h"

namespace weir {
namespace {

size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t pages_total = 0, pages = 0;
  statm >> pages_total >> pages;
  return pages * 4096;
}

TEST(FlowMemory, AtMost192BytesPerFlowAllIncluded) {
  for (uint32_t flows : {100'000u, 1'000'000u}) {
    const double each = static_cast<double>(FlowTracker::MemoryBytes({.max_flows = flows})) / flows;
    EXPECT_LE(each, 192.0) << flows;
  }
}

TEST(FlowMemory, ResidentMemoryIsWhatWasPredictedWithinFivePercent) {
  constexpr uint32_t kFlows = 500'000;
  const size_t before = ResidentBytes();
  auto tracker = *FlowTracker::Create({.max_flows = kFlows});
  const double taken = static_cast<double>(ResidentBytes() - before);
  const double predicted = static_cast<double>(FlowTracker::MemoryBytes({.max_flows = kFlows}));
  RecordProperty("bytes_per_flow", std::to_string(taken / kFlows));
  EXPECT_NEAR(taken / predicted, 1.0, 0.05);
}

}  // namespace
}  // namespace weir

// What a flow table takes from the machine.

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstring>
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

// Fills the table and returns the resident bytes that each flow took, all included.
double ResidentBytesPerFlow(AddressFamily family, uint32_t flows) {
  const size_t before = ResidentBytes();
  auto tracker = *FlowTracker::Create({.max_flows = flows});
  EventBuffer events(event_mask::kRecords);
  std::array<uint8_t, 16> source{}, destination{};
  const Frame frame;
  for (uint32_t flow = 0; flow < flows; ++flow) {
    std::memcpy(source.data(), &flow, sizeof flow);
    Packet packet;
    packet.source = source.data();
    packet.destination = destination.data();
    packet.family = family;
    packet.protocol = ip_protocol::kUdp;
    packet.timestamp_ns = 1'700'000'000'000'000'000;
    events.Clear();
    tracker->Track({&frame, 1}, {&packet, 1}, events);
  }
  EXPECT_EQ(tracker->alive(), flows);
  return static_cast<double>(ResidentBytes() - before) / flows;
}

TEST(FlowMemory, IdleFlowsTakeWhatWasPredictedAndNoMore) {
  constexpr uint32_t kFlows = 400'000;
  const double predicted =
      static_cast<double>(FlowTracker::MemoryBytes({.max_flows = kFlows})) / kFlows;
  const double ipv4 = ResidentBytesPerFlow(AddressFamily::kIpv4, kFlows);
  const double ipv6 = ResidentBytesPerFlow(AddressFamily::kIpv6, kFlows);
  RecordProperty("ipv4_bytes_per_flow", std::to_string(ipv4));
  RecordProperty("ipv6_bytes_per_flow", std::to_string(ipv6));
  EXPECT_LE(ipv4, 192.0);
  EXPECT_LE(ipv6, 256.0);
  EXPECT_NEAR(ipv4 / predicted, 1.0, 0.05);
  EXPECT_NEAR(ipv6 / predicted, 1.0, 0.05);
}

}  // namespace
}  // namespace weir

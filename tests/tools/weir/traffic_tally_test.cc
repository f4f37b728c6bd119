#include "tools/weir/traffic_tally.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

FlowRecord Flow(uint64_t id, uint64_t bytes) {
  FlowRecord record;
  record.flow_id = id;
  record.key.family = AddressFamily::kIpv4;
  record.key.source[3] = 1;
  record.key.destination[3] = static_cast<uint8_t>(id + 1);
  record.packets = {1, 1};
  record.bytes = {bytes, 1};
  record.start_ns = static_cast<int64_t>(1000 + id);
  record.end_ns = static_cast<int64_t>(2000 + id);
  record.end = FlowEnd::kIdle;
  return record;
}

TEST(TrafficTally, KeepsTheBusiest) {
  TrafficTally tally(3);
  for (uint64_t id = 1; id <= 52; ++id) tally.Add(Flow(id, (id * 17) % 53));
  const auto busiest = tally.Busiest();
  ASSERT_EQ(busiest.size(), 3u);
  EXPECT_EQ(busiest[0].bytes[0], 52u);
  EXPECT_EQ(busiest[1].bytes[0], 51u);
  EXPECT_EQ(busiest[2].bytes[0], 50u);
  EXPECT_EQ(tally.flows(), 52u);
}

TEST(TrafficTally, InterimRecordsDoNotCountTwice) {
  TrafficTally tally;
  FlowRecord interim = Flow(1, 100);
  interim.end = FlowEnd::kActive;
  tally.Add(interim);
  tally.Add(Flow(1, 200));
  EXPECT_EQ(tally.flows(), 1u);
  EXPECT_EQ(tally.talkers().Top(1)[0].bytes(), 201u);
}

TEST(TrafficTally, BothEndsTalk) {
  TrafficTally tally;
  tally.Add(Flow(1, 100));
  const auto talkers = tally.talkers().Top(10);
  ASSERT_EQ(talkers.size(), 2u);
  EXPECT_EQ(talkers[0].sent_bytes, 100u);
  EXPECT_EQ(talkers[0].received_bytes, 1u);
  EXPECT_EQ(talkers[1].sent_bytes, 1u);
  EXPECT_EQ(talkers[1].received_bytes, 100u);
}

TEST(TrafficTally, SpansTheTraffic) {
  TrafficTally tally;
  EXPECT_EQ(tally.last_ns() - tally.first_ns(), 0);
  tally.Add(Flow(9, 1));
  tally.Add(Flow(1, 1));
  EXPECT_EQ(tally.first_ns(), 1001);
  EXPECT_EQ(tally.last_ns(), 2009);
}

}  // namespace
}  // namespace weir

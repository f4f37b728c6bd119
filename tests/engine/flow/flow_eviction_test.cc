// Who had to go when the table was full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/flow_feeder.h"

namespace weir {
namespace {

using test::FlowFeeder;
using test::kSecond;
using test::MakeSender;

TEST(FlowEviction, IsCountedByWhatTheFlowsWere) {
  constexpr uint32_t kFlows = 200, kCapacity = 100;
  const auto evicted = [](auto send) {
    FlowFeeder feeder({.max_flows = kCapacity}, event_mask::kRecords);
    for (uint32_t i = 0; i < kFlows; ++i) send(feeder, i);
    return feeder.counters().evicted;
  };
  const auto tcp = [](uint32_t i) {
    return MakeSender(ip_protocol::kTcp, 0x0a000000 + i, 1000, 0x0b000001, 80);
  };
  const auto udp = [](uint32_t i) {
    return MakeSender(ip_protocol::kUdp, 0x0a000000 + i, 1000, 0x0b000001, 53);
  };
  EXPECT_THAT(evicted([&](FlowFeeder& feeder, uint32_t i) {
                feeder.SendTcp(tcp(i), kSecond, {.flags = tcp_flag::kSyn, .sequence = 1});
              }),
              testing::ElementsAre(kFlows - kCapacity, 0, 0, 0));
  EXPECT_THAT(evicted([&](FlowFeeder& feeder, uint32_t i) { feeder.Send(udp(i), kSecond); }),
              testing::ElementsAre(0, kFlows - kCapacity, 0, 0));
  EXPECT_THAT(evicted([&](FlowFeeder& feeder, uint32_t i) {
                feeder.SendTcp(tcp(i), kSecond, {.flags = tcp_flag::kSyn, .sequence = 1});
                feeder.SendTcp(tcp(i).Reverse(), kSecond,
                               {.flags = tcp_flag::kRst | tcp_flag::kAck, .acknowledgement = 2});
              }),
              testing::ElementsAre(0, 0, kFlows - kCapacity, 0));
  EXPECT_THAT(evicted([&](FlowFeeder& feeder, uint32_t i) {
                feeder.Send(udp(i), kSecond);
                feeder.Send(udp(i).Reverse(), kSecond);
              }),
              testing::ElementsAre(0, 0, 0, kFlows - kCapacity));
}

}  // namespace
}  // namespace weir

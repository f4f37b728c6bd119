#include "engine/split_check.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "engine/flow/record.h"

namespace weir {
namespace {

// The n-th UDP flow as its first packet showed it.
FlowRecord Flow(uint32_t n, bool back = false, uint8_t protocol = 17) {
  FlowRecord record;
  record.key.protocol = protocol;
  record.key.family = AddressFamily::kIpv4;
  auto& client = back ? record.key.destination : record.key.source;
  auto& server = back ? record.key.source : record.key.destination;
  client = {10, static_cast<uint8_t>(n >> 16), static_cast<uint8_t>(n >> 8),
            static_cast<uint8_t>(n)};
  server = {192, 0, 2, 1};
  (back ? record.key.destination_port : record.key.source_port) = 4000;
  (back ? record.key.source_port : record.key.destination_port) = 53;
  return record;
}

void See(SplitCheck& check, uint16_t shard, const FlowRecord& record, SplitCounters& counters) {
  Event event;
  event.kind = EventKind::kFlowStarted;
  event.record = &record;
  check.Look(shard, {&event, 1}, counters);
}

TEST(SplitCheck, FlowsThatStayInTheirShardAreNotSplit) {
  SplitCheck check(1);
  SplitCounters counters;
  for (uint32_t n = 0; n < 1'000; ++n) {
    for (int again = 0; again < 3; ++again) {
      See(check, n % 4, Flow(n, again == 1), counters);
    }
  }
  EXPECT_GE(counters.sampled, 1'000u);
  EXPECT_EQ(counters.split, 0u);
}

TEST(SplitCheck, DirectionsInTwoShardsAreCountedOnce) {
  SplitCheck check(1);
  SplitCounters counters[2];
  for (uint32_t n = 0; n < 100; ++n) {
    for (int again = 0; again < 3; ++again) {
      for (const bool back : {false, true}) See(check, back, Flow(n, back), counters[back]);
    }
  }
  // Two flows may fall on one place: the later one takes it over.
  EXPECT_NEAR(static_cast<double>(counters[1].split), 100, 5);
  EXPECT_LE(counters[0].split, 5u);
  EXPECT_NEAR(static_cast<double>(counters[0].sampled), 100, 10);
}

TEST(SplitCheck, EqualAddressesInTwoTunnelsAreTwoFlows) {
  const auto in_tunnel = [](uint32_t n, uint8_t network) {
    FlowRecord record = Flow(n);
    record.tunnel.length = 3;
    record.tunnel.bytes[2] = network;
    return record;
  };
  SplitCheck check(1);
  SplitCounters apart, cut;
  for (uint32_t n = 0; n < 20; ++n) {
    See(check, 0, in_tunnel(n, 1), apart);
    See(check, 1, in_tunnel(n, 2), apart);
  }
  EXPECT_LE(apart.split, 1u);
  for (uint32_t n = 0; n < 20; ++n) See(check, 1, in_tunnel(n, 1), cut);
  EXPECT_GE(cut.split, 18u);
}

TEST(SplitCheck, LooksAtASampleByAddressPair) {
  SplitCheck check;
  SplitCounters counters;
  for (uint32_t n = 0; n < 100'000; ++n) See(check, 0, Flow(n), counters);
  EXPECT_NEAR(static_cast<double>(counters.sampled), 100'000 / 256.0, 80);
}

TEST(SplitCheck, LooksAtTcpAndUdpOnly) {
  SplitCheck check(1);
  SplitCounters counters;
  for (const uint16_t shard : {0, 1}) {
    for (uint32_t n = 0; n < 100; ++n) See(check, shard, Flow(n, false, 1), counters);
  }
  EXPECT_EQ(counters.sampled + counters.split, 0u);
}

// Each flow is told of once, whichever threads see it.
TEST(SplitCheck, ThreadsCountEachFlowOnce) {
  SplitCheck check(1);
  constexpr uint32_t kFlows = 64;  // few enough that places are hardly shared
  std::vector<SplitCounters> counters(4);
  std::vector<std::thread> threads;
  for (uint16_t shard = 0; shard < 4; ++shard) {
    threads.emplace_back([&, shard] {
      for (uint32_t round = 0; round < 100; ++round) {
        for (uint32_t n = 0; n < kFlows; ++n) See(check, shard, Flow(n), counters[shard]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  SplitCounters sum;
  for (const SplitCounters& one : counters) sum.Add(one);
  EXPECT_NEAR(static_cast<double>(sum.sampled), kFlows, 4);
  EXPECT_NEAR(static_cast<double>(sum.split), kFlows, 4);
}

}  // namespace
}  // namespace weir

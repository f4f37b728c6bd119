// Streams through a shard: memory is taken at start, and bytes in order need none.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/flow/flow_tracker.h"
#include "rings/memory_source.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/tcp_script.h"

namespace weir::test {
namespace {

constexpr uint32_t kConnections = 500;
constexpr uint32_t kSegments = 20;
constexpr uint32_t kSize = 500;

struct Traffic {
  std::vector<Bytes> bytes;
  std::vector<Frame> frames;
};

// `displaced` in a hundred segments change places with a later one, `odd` are repeated, lie, end or
// reset their connection.
Traffic MakeTraffic(int displaced, int odd) {
  Traffic traffic;
  std::mt19937 random(5);
  for (uint32_t number = 0; number < kConnections; ++number) {
    for (uint32_t i = 0; i < kSegments; ++i) {
      TcpFields fields{.seq = number * 7919 + i * kSize, .ack = 1};
      std::string payload = Lettered(kSize, i * kSize);
      const int kind = static_cast<int>(random() % 100);
      if (kind < odd) {
        if (kind % 4 == 0) fields.seq -= 300;
        if (kind % 4 == 1) payload[kSize / 2] ^= 1;
        if (kind % 4 == 2) fields.flags |= tcp_flag::kFin;
        if (kind % 4 == 3) fields.flags |= tcp_flag::kRst;
      }
      const std::string host =
          "10.0." + std::to_string(number / 250) + "." + std::to_string(1 + number % 250);
      traffic.bytes.push_back(PacketBuilder()
                                  .Ethernet()
                                  .Ipv4(host, "10.9.0.1")
                                  .Tcp(1000, 80, fields)
                                  .Payload(payload)
                                  .Build());
    }
  }
  for (size_t i = 0; i + 8 < traffic.bytes.size(); ++i) {
    if (static_cast<int>(random() % 100) >= displaced) continue;
    std::swap(traffic.bytes[i], traffic.bytes[i + 1 + random() % 7]);
  }
  int64_t time_ns = 1'700'000'000'000'000'000;
  for (const Bytes& bytes : traffic.bytes) {
    traffic.frames.push_back(AsFrame(bytes, link_type::kEthernet, time_ns += 100'000));
  }
  return traffic;
}

struct Outcome {
  uint64_t allocations;
  uint64_t events;
  uint64_t most_memory;
  StreamCounters counters;
};

Outcome Measure(const Traffic& traffic, const StreamOptions& streams) {
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(*MemorySource::FromFrames(traffic.frames));
  ShardOptions options = StreamShardOptions(streams);
  options.flow.max_flows = kConnections / 2;  // some are evicted
  auto shard = *Shard::Create(options, std::move(sources));
  Outcome outcome{};
  const uint64_t before = Allocations();
  while (!shard->done()) {
    outcome.events += shard->Poll().size();
    outcome.most_memory =
        std::max(outcome.most_memory, shard->flows().stream_counters().memory_bytes);
  }
  outcome.allocations = Allocations() - before;
  outcome.counters = shard->flows().stream_counters();
  return outcome;
}

TEST(StreamAllocation, BytesInOrderNeedNoMemory) {
  const Outcome outcome = Measure(MakeTraffic(0, 0), {});
  EXPECT_EQ(outcome.allocations, 0u);
  EXPECT_EQ(outcome.most_memory, 0u);
  EXPECT_EQ(outcome.counters.delivered, uint64_t{kConnections} * kSegments * kSize);
}

TEST(StreamAllocation, TheRestNeedsNoneAfterStart) {
  const Traffic traffic = MakeTraffic(30, 10);
  for (OverlapPolicy policy :
       {OverlapPolicy::kFirst, OverlapPolicy::kLast, OverlapPolicy::kLinux}) {
    for (uint32_t history : {0u, 4096u}) {
      SCOPED_TRACE(testing::Message() << Name(policy) << " " << history);
      const Outcome outcome = Measure(
          traffic, {.memory_bytes = 256 << 10, .overlap = policy, .history_bytes = history});
      EXPECT_EQ(outcome.allocations, 0u);
      EXPECT_GT(outcome.most_memory, 0u);
      EXPECT_LE(outcome.most_memory, 256u << 10);
      EXPECT_GT(outcome.counters.out_of_order, 100u);
      EXPECT_GT(outcome.counters.retransmitted, 100u);
      EXPECT_TRUE(outcome.counters.Balanced());
      EXPECT_EQ(outcome.counters.buffered, 0u);
      EXPECT_GT(outcome.events, 1000u);
    }
  }
}

}  // namespace
}  // namespace weir::test

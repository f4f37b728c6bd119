// What peers do with memory, with many flows, and with one lost segment in front of a long stream.
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <cstring>

#include "engine/flow/flow_tracker.h"
#include "tests/support/bulk_stream.h"
#include "tests/support/tcp_script.h"

namespace weir::test {
namespace {

int64_t ThreadCpuNs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

struct Session {
  MemorySource* source;
  std::unique_ptr<Shard> shard;
};

Session Start(const ShardOptions& options) {
  auto source = *MemorySource::Create({.block_count = 8});
  Session session{source.get(), nullptr};
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(source));
  session.shard = *Shard::Create(options, std::move(sources));
  return session;
}

// What a long stream looked like from outside.
struct BulkSeen {
  uint64_t delivered = 0;
  uint64_t next = 0;
  std::vector<HoleSeen> holes;
  std::vector<StreamEnd> ends;
  bool right = true;
  bool balanced = true;
  uint64_t most_memory = 0;
  std::vector<double> poll_ns;  // per packet, of each ring of blocks

  void Take(std::span<const Event> events) {
    for (const Event& event : events) {
      if (event.kind == EventKind::kStreamData) {
        right &= event.offset == next && BulkBytesAreRight(event.offset, event.data, event.size);
        delivered += event.size;
        next = event.offset + event.size;
      } else if (event.kind == EventKind::kStreamHole) {
        right &= event.offset == next;
        holes.push_back({event.offset, event.size, event.reason});
        next = event.offset + event.size;
      } else if (event.kind == EventKind::kStreamEnd) {
        ends.push_back(event.end);
      }
    }
  }
};

BulkSeen RunBulk(const BulkStream::Options& bulk, const StreamOptions& streams) {
  Session session = Start(StreamShardOptions(streams));
  BulkStream stream(bulk);
  BulkSeen seen;
  const auto poll = [&]() -> int64_t {
    const int64_t start = ThreadCpuNs();
    const auto events = session.shard->Poll();
    const int64_t spent = ThreadCpuNs() - start;
    seen.Take(events);
    const StreamCounters counters = session.shard->flows().stream_counters();
    seen.balanced &= counters.Balanced();
    seen.most_memory = std::max(seen.most_memory, counters.memory_bytes);
    return spent;
  };
  for (bool more = true; more;) {
    more = stream.Refill(*session.source);
    const uint64_t before = session.shard->ledger().received;
    int64_t spent = 0;
    while (session.source->ready()) spent += poll();
    const uint64_t packets = session.shard->ledger().received - before;
    if (packets != 0) seen.poll_ns.push_back(static_cast<double>(spent) / packets);
  }
  session.source->End();
  while (!session.shard->done()) poll();
  EXPECT_EQ(session.shard->flows().stream_counters().memory_bytes, 0u);
  return seen;
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

void ExpectAllButOne(const BulkSeen& seen, const BulkStream::Options& bulk) {
  EXPECT_EQ(seen.delivered, (bulk.segments - 1) * kBulkSegment);
  ASSERT_EQ(seen.holes.size(), 1u);
  EXPECT_EQ(seen.holes[0].offset, bulk.lost * kBulkSegment);
  EXPECT_EQ(seen.holes[0].size, kBulkSegment);
  EXPECT_EQ(seen.next, bulk.segments * kBulkSegment);
  EXPECT_EQ(seen.ends.size(), 1u);
  EXPECT_TRUE(seen.right);
  EXPECT_TRUE(seen.balanced);
}

// libtins delivered 1,448 bytes of this and erased the stream.
TEST(PeerFaults, LibtinsOneLostSegmentOf115MegabytesCostsThatSegmentOnly) {
  const BulkStream::Options bulk{.segments = 80'000, .lost = 1};
  ExpectAllButOne(RunBulk(bulk, {}), bulk);
}

// A gigabyte one way behind one lost segment: nobody acknowledges, nothing comes again.
TEST(OneLostSegment, AGigabyteBehindItCostsWhatTheFirstTenthDid) {
  const BulkStream::Options bulk{
      .segments = 1'000'000'000 / kBulkSegment, .lost = 10, .first_sequence = 0xFFFF'0000};
  for (const StreamOptions& streams :
       {StreamOptions{}, StreamOptions{.memory_bytes = 8 << 20, .stream_bytes = 0}}) {
    const BulkSeen seen = RunBulk(bulk, streams);
    ExpectAllButOne(seen, bulk);
    EXPECT_LE(seen.most_memory, streams.memory_bytes);
    if (streams.stream_bytes != 0) {
      EXPECT_LE(seen.most_memory, streams.stream_bytes * 2);
    }
    const size_t tenth = seen.poll_ns.size() / 10;
    const double first = Median({seen.poll_ns.begin(), seen.poll_ns.begin() + tenth});
    const double last = Median({seen.poll_ns.end() - tenth, seen.poll_ns.end()});
    RecordProperty("first_tenth_ns", static_cast<int>(first));
    RecordProperty("last_tenth_ns", static_cast<int>(last));
    EXPECT_LT(last, 3 * first + 20);
  }
}

// However much waits behind the lost segment: no time-out, and limits far from each other.
TEST(OneLostSegment, WhatWaitsAtTheLimitDoesNotMakePacketsDear) {
  const auto cost = [](uint64_t stream_bytes) {
    const BulkSeen seen = RunBulk({.segments = 200'000, .lost = 10, .segment_ns = 1},
                                  {.stream_bytes = stream_bytes, .hole_timeout_ns = 0});
    return Median(seen.poll_ns);
  };
  const double small = cost(256 << 10), large = cost(48 << 20);
  EXPECT_LT(large, 5 * small + 200);
}

// PcapPlusPlus keys flows by a 32-bit hash: of 300,000 flows about ten would share one.
TEST(PeerFaults, PcapPlusPlusEachOfManyFlowsHasItsOwnBytes) {
  constexpr uint32_t kFlows = 300'000;
  ShardOptions options = StreamShardOptions({.max_connections = kFlows, .memory_bytes = 16 << 20});
  options.flow.max_flows = kFlows + 1000;
  Session session = Start(options);
  const TcpPeer peer{"10.0.0.1", 1000, "10.0.0.2", 80};
  const Bytes first = PacketBuilder()
                          .Ethernet()
                          .Ipv4(peer.address, peer.other_address)
                          .Tcp(peer.port, peer.other_port, {.seq = 1})
                          .Payload(4)
                          .Build();
  std::vector<Bytes> wires(1000, first);
  std::vector<Frame> frames(wires.size());
  std::vector<uint8_t> seen(kFlows, 0);  // bit 0: first four bytes, bit 1: the next four
  uint64_t strange = 0, records = 0;
  const auto take = [&] {
    for (const Event& event : session.shard->Poll()) {
      records += event.kind == EventKind::kFlowEnded;
      if (event.kind == EventKind::kStreamHole) ++strange;
      if (event.kind != EventKind::kStreamData) continue;
      uint32_t number = 0;
      std::memcpy(&number, event.data, 4);
      const bool right = event.size == 4 && event.offset <= 4 && number < kFlows &&
                         seen[number] == (event.offset == 4 ? 1 : 0);
      strange += !right;
      if (right) seen[number] |= event.offset == 4 ? 2 : 1;
    }
  };
  int64_t time_ns = 1'700'000'000'000'000'000;
  for (uint8_t round = 0; round < 2; ++round) {
    for (uint32_t flow = 0; flow < kFlows; flow += wires.size()) {
      for (uint32_t i = 0; i < wires.size(); ++i) {
        const uint32_t number = flow + i;
        Bytes& wire = wires[i];
        std::memcpy(wire.data() + 27, &number, 3);       // source address, its last three bytes
        wire[41] = static_cast<uint8_t>(1 + 4 * round);  // sequence number
        std::memcpy(wire.data() + 54, &number, 4);
        frames[i] = AsFrame(wire, link_type::kEthernet, time_ns += 1000);
      }
      for (size_t sent = 0; sent < frames.size();) {
        sent += session.source->Refill(std::span<const Frame>(frames).subspan(sent));
        while (session.source->ready()) take();
      }
    }
  }
  session.source->End();
  while (!session.shard->done()) take();
  EXPECT_EQ(strange, 0u);
  EXPECT_EQ(records, kFlows);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 3), kFlows);
}

}  // namespace
}  // namespace weir::test

// What peers do with memory, shown on the reassembler alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "engine/tcp/reassembler.h"
#include "tests/support/allocation_counter.h"

namespace weir::test {
namespace {

class Sums final : public StreamSink {
 public:
  void OnData(uint32_t, int, const StreamData& data) override { delivered += data.size; }
  void OnHole(uint32_t, int, const StreamHole& hole) override { lost += hole.size; }
  void OnConflict(uint32_t, int, const StreamConflict&) override {}
  void OnEnd(uint32_t, int, StreamEnd, uint64_t, int64_t) override { ++ends; }
  void OnWaiting(uint32_t, int, bool) override {}

  uint64_t delivered = 0;
  uint64_t lost = 0;
  uint64_t ends = 0;
};

constexpr uint32_t kSize = 1000;

class PeerFaults : public testing::Test {
 protected:
  void Create(const StreamOptions& options) {
    options_ = options;
    options_.max_connections = 100;
    reassembler_ = *Reassembler::Create(options_, sums_);
  }

  uint32_t Open() {
    const uint32_t connection = reassembler_->Open(0);
    for (int side = 0; side < 2; ++side) reassembler_->Begin(connection, side, 0, false);
    return connection;
  }

  void Send(uint32_t connection, int side, uint32_t offset, uint32_t length = kSize) {
    reassembler_->Segment(connection, side,
                          {.sequence = offset,
                           .payload = payload_.data(),
                           .length = length,
                           .wire_length = length,
                           .time_ns = now_ns_ += 1000});
  }

  Sums sums_;
  StreamOptions options_;
  std::unique_ptr<Reassembler> reassembler_;
  std::vector<uint8_t> payload_ = std::vector<uint8_t>(kSize, 'x');
  int64_t now_ns_ = 1'000'000'000;
};

// Connections that come, hold bytes behind holes, and go.
TEST_F(PeerFaults, GopacketMemoryReturnsWhenStreamsEnd) {
  Create({.memory_bytes = 4 << 20});
  const uint64_t before = Allocations();
  uint64_t most = 0;
  for (int round = 0; round < 2000; ++round) {
    for (int i = 0; i < 10; ++i) {
      const uint32_t connection = Open();
      ASSERT_NE(connection, kNoConnection);
      for (uint32_t at = 1; at < 20; ++at) Send(connection, i & 1, at * 2 * kSize);
      most = std::max(most, reassembler_->counters().buffered);
      reassembler_->Close(connection, StreamEnd::kFlow, now_ns_);
    }
    reassembler_->Release();
    ASSERT_EQ(reassembler_->counters().memory_bytes, 0u);
  }
  EXPECT_EQ(Allocations(), before);
  EXPECT_GE(most, 19 * kSize);
  EXPECT_EQ(sums_.delivered, 2000u * 10 * 19 * kSize);
  EXPECT_EQ(sums_.ends, 2000u * 10 * 2);
  EXPECT_TRUE(reassembler_->counters().Balanced());
}

// What waited, was repeated and was filled in: nothing stays behind, though the stream goes on.
TEST_F(PeerFaults, ProtolensQueuedSegmentsAreNotLeaked) {
  for (OverlapPolicy policy : {OverlapPolicy::kFirst, OverlapPolicy::kLast, OverlapPolicy::kBsd}) {
    SCOPED_TRACE(Name(policy));
    Create({.memory_bytes = 4 << 20, .overlap = policy});
    const uint32_t connection = Open();
    uint32_t offset = 0;
    for (int round = 0; round < 5000; ++round) {
      for (uint32_t at : {5, 3, 4, 3, 1, 2, 5, 0}) Send(connection, 0, offset + at * kSize);
      Send(connection, 0, offset + 500);
      offset += 6 * kSize;
      reassembler_->Acknowledge(connection, 0, offset, now_ns_);
      reassembler_->Release();
      ASSERT_EQ(reassembler_->counters().memory_bytes, 0u) << round;
      ASSERT_EQ(reassembler_->counters().buffered, 0u) << round;
    }
    EXPECT_EQ(reassembler_->counters().delivered, offset);
    EXPECT_EQ(reassembler_->counters().retransmitted, 5000u * 3 * kSize);
    EXPECT_EQ(reassembler_->counters().LostTotal(), 0u);
  }
}

// However much comes behind one hole, on one stream or on many.
TEST_F(PeerFaults, PcapPlusPlusMemoryStaysWithinItsLimitWhateverWaits) {
  Create({.memory_bytes = 2 << 20, .stream_bytes = 0, .stream_pieces = 0, .hole_timeout_ns = 0});
  std::vector<uint32_t> connections;
  for (int i = 0; i < 50; ++i) connections.push_back(Open());
  const uint64_t before = Allocations();
  for (uint32_t at = 1; at < 400; ++at) {
    for (uint32_t connection : connections) Send(connection, 0, at * 2 * kSize);
    reassembler_->Release();
    ASSERT_LE(reassembler_->counters().memory_bytes, options_.memory_bytes);
  }
  EXPECT_EQ(Allocations(), before);
  for (uint32_t connection : connections) {
    reassembler_->Close(connection, StreamEnd::kFlow, now_ns_);
  }
  reassembler_->Release();
  EXPECT_EQ(reassembler_->counters().memory_bytes, 0u);
  EXPECT_EQ(sums_.delivered, 50u * 399 * kSize);  // early bytes are never refused
  EXPECT_EQ(reassembler_->counters().RefusedTotal(), 0u);
}

// One greedy stream does not cost the others theirs.
TEST_F(PeerFaults, PcapPlusPlusAGreedyStreamDoesNotStarveTheOthers) {
  Create({.memory_bytes = 1 << 20, .stream_bytes = 0, .stream_pieces = 0, .hole_timeout_ns = 0});
  const uint32_t greedy = Open();
  std::vector<uint32_t> others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(Open());
    Send(others.back(), 0, kSize);  // waits for its first thousand bytes
  }
  for (uint32_t at = 1; at < 5000; ++at) {
    Send(greedy, 0, at * 2 * kSize);
    reassembler_->Release();
  }
  for (uint32_t other : others) {
    Send(other, 0, 0);
    const StreamTotals totals = reassembler_->totals(other, 0);
    EXPECT_EQ(totals.delivered, 2u * kSize);
    EXPECT_EQ(totals.lost, 0u);
  }
  EXPECT_GT(reassembler_->totals(greedy, 0).lost, 0u);
}

}  // namespace
}  // namespace weir::test

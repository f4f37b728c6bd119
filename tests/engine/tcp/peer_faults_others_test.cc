// What protolens, PcapPlusPlus and libtins get wrong in single streams, through a whole shard.
#include <gtest/gtest.h>

#include "engine/flow/flow_tracker.h"
#include "tests/support/tcp_script.h"

namespace weir::test {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
const TcpPeer kClient{"10.0.0.1", 1000, "10.0.0.2", 80};
const TcpPeer kServer = kClient.Reverse();

// 1,000 segments of 100 bytes, number 10 lost.
TcpScript ThousandSegmentsOneLost() {
  TcpScript script;
  script.Handshake(kClient, 99, 7000);
  for (uint32_t i = 0; i < 1000; ++i) {
    if (i == 10) continue;
    script.Send(kClient, {.seq = 100 + i * 100, .ack = 7001}, Lettered(100, i * 100));
  }
  return script;
}

void ExpectAllButOne(const StreamsSeen& seen, HoleReason reason) {
  ASSERT_EQ(seen.connections.size(), 1u);
  const StreamSeen& stream = seen.connections[0].direction[0];
  EXPECT_EQ(stream.holes, (std::vector<HoleSeen>{{1000, 100, reason}}));
  EXPECT_EQ(stream.bytes, Lettered(1000) + Lettered(98'900, 1100));
  EXPECT_TRUE(stream.contiguous);
  EXPECT_EQ(seen.counters.delivered, 99'900u);
  EXPECT_EQ(seen.counters.buffered, 0u);
  EXPECT_TRUE(seen.balanced);
}

TEST(PeerFaults, ProtolensOneLostSegmentStallsTheStreamNoLongerThanToTheEnd) {
  ExpectAllButOne(ThousandSegmentsOneLost().Run(StreamShardOptions({.hole_timeout_ns = 0})),
                  HoleReason::kEnd);
}

TEST(PeerFaults, ProtolensOneLostSegmentStallsTheStreamNoLongerThanItsLimit) {
  ExpectAllButOne(ThousandSegmentsOneLost().Run(
                      StreamShardOptions({.stream_bytes = 20'000, .hole_timeout_ns = 0})),
                  HoleReason::kStreamLimit);
  ExpectAllButOne(ThousandSegmentsOneLost().Run(
                      StreamShardOptions({.stream_bytes = 0, .hole_timeout_ns = kSecond / 10})),
                  HoleReason::kTimeout);
}

TEST(PeerFaults, ProtolensAnAcknowledgedHoleIsGivenUpAfterItsGrace) {
  TcpScript script(10'000'000);
  script.Handshake(kClient, 99, 7000);
  for (uint32_t i = 0; i < 1000; ++i) {
    if (i == 10) continue;
    script.Send(kClient, {.seq = 100 + i * 100, .ack = 7001}, Lettered(100, i * 100));
    if (i == 20) script.Send(kServer, {.seq = 7001, .ack = 100 + 21 * 100});
  }
  ExpectAllButOne(script.Run(), HoleReason::kAcknowledged);
}

TEST(PeerFaults, ProtolensTheWrapLosesNothing) {
  for (bool reversed : {false, true}) {
    SCOPED_TRACE(reversed);
    const uint32_t start = 0u - 50'000 - 37;
    TcpScript script;
    script.Handshake(kClient, start - 1, 7000);
    for (uint32_t i = 0; i < 1000; ++i) {
      const uint32_t at = (reversed ? i ^ 7 : i) * 100;  // eight at a time backwards
      script.Send(kClient, {.seq = start + at, .ack = 7001}, Lettered(100, at));
    }
    const StreamsSeen seen = script.Run();
    ASSERT_EQ(seen.connections.size(), 1u);
    EXPECT_EQ(seen.connections[0].direction[0].bytes, Lettered(100'000));
    EXPECT_TRUE(seen.connections[0].direction[0].holes.empty());
    EXPECT_EQ(seen.counters.retransmitted + seen.counters.RefusedTotal(), 0u);
  }
}

TEST(PeerFaults, ProtolensAResetEndsBothStreams) {
  TcpScript script;
  script.Handshake(kClient, 99, 7000);
  script.Send(kClient, {.seq = 100, .ack = 7001}, Lettered(50));
  script.Send(kServer, {.seq = 7001, .ack = 150}, Lettered(60));
  script.Send(kClient, {.seq = 170, .ack = 7061}, Lettered(10, 70));
  script.Send(kServer, {.seq = 7061, .ack = 150, .flags = tcp_flag::kRst | tcp_flag::kAck});
  const StreamsSeen seen = script.Run();
  ASSERT_EQ(seen.connections.size(), 1u);
  const ConnectionSeen& connection = seen.connections[0];
  EXPECT_EQ(connection.record.end, FlowEnd::kRst);
  EXPECT_EQ(connection.direction[0].ends, std::vector<StreamEnd>{StreamEnd::kRst});
  EXPECT_EQ(connection.direction[1].ends, std::vector<StreamEnd>{StreamEnd::kRst});
  EXPECT_EQ(connection.direction[0].bytes, Lettered(50) + Lettered(10, 70));
  EXPECT_EQ(connection.direction[0].holes, (std::vector<HoleSeen>{{50, 20, HoleReason::kEnd}}));
  EXPECT_EQ(connection.direction[1].bytes, Lettered(60));
}

TEST(PeerFaults, ProtolensASilentStreamTimesOut) {
  TcpScript script;
  script.Handshake(kClient, 99, 7000);
  script.Send(kClient, {.seq = 100, .ack = 7001}, Lettered(50));
  script.Send(kClient, {.seq = 160, .ack = 7001}, Lettered(50, 60));
  script.Wait(400 * kSecond);
  script.Send({"10.0.0.3", 1, "10.0.0.4", 2}, {.seq = 1});
  const StreamsSeen seen = script.Run();
  ASSERT_FALSE(seen.connections.empty());
  const ConnectionSeen& connection = seen.connections[0];
  EXPECT_EQ(connection.record.end, FlowEnd::kIdle);
  EXPECT_EQ(connection.direction[0].bytes, Lettered(50) + Lettered(50, 60));
  ASSERT_EQ(connection.direction[0].holes.size(), 1u);
  EXPECT_EQ(connection.direction[0].holes[0].size, 10u);
  EXPECT_EQ(connection.direction[0].ends, std::vector<StreamEnd>{StreamEnd::kFlow});
}

// PcapPlusPlus keeps all that waits behind a lost segment.
TEST(PeerFaults, PcapPlusPlusWhatWaitsBehindALostSegmentIsBounded) {
  StreamOptions streams;
  streams.stream_bytes = 16'384;
  streams.hole_timeout_ns = 0;
  ShardOptions options = StreamShardOptions(streams);
  TcpScript script = ThousandSegmentsOneLost();
  const StreamsSeen seen = script.Run(options);
  ExpectAllButOne(seen, HoleReason::kStreamLimit);
}

// libtins erases a stream that has lost a segment.
TEST(PeerFaults, LibtinsBothSidesGoOnBehindALostSegment) {
  TcpScript script;
  script.Handshake(kClient, 99, 7000);
  uint32_t sent = 0, answered = 0;
  for (uint32_t i = 0; i < 500; ++i) {
    if (i != 1)
      script.Send(kClient, {.seq = 100 + sent, .ack = 7001 + answered}, Lettered(100, sent));
    sent += 100;
    script.Send(kServer, {.seq = 7001 + answered, .ack = 100 + sent}, Lettered(70, answered));
    answered += 70;
  }
  const StreamsSeen seen = script.Run();
  ASSERT_EQ(seen.connections.size(), 1u);
  EXPECT_EQ(seen.connections[0].direction[0].bytes, Lettered(100) + Lettered(49'800, 200));
  EXPECT_EQ(seen.connections[0].direction[1].bytes, Lettered(35'000));
  EXPECT_EQ(seen.counters.LostTotal(), 100u);
}

}  // namespace
}  // namespace weir::test

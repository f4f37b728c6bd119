// What gopacket's reassembly gets wrong, through a whole shard.
#include <gtest/gtest.h>

#include "engine/flow/flow_tracker.h"
#include "tests/support/tcp_script.h"

namespace weir::test {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
const TcpPeer kClient{"10.0.0.1", 1000, "10.0.0.2", 80};
const TcpPeer kServer = kClient.Reverse();

// A thousand lost bytes that span the wrap are a thousand lost bytes.
TEST(PeerFaults, GopacketLossAcrossTheWrapIsReportedExactly) {
  for (uint32_t before_wrap : {1u, 499u, 500u, 999u, 1000u}) {
    SCOPED_TRACE(before_wrap);
    const uint32_t lost_at = 0u - before_wrap;
    TcpScript script;
    script.Handshake(kClient, lost_at - 11, 7000);
    script.Send(kClient, {.seq = lost_at - 10, .ack = 7001}, Lettered(10));
    script.Send(kClient, {.seq = lost_at + 1000, .ack = 7001}, Lettered(10, 1010));
    const StreamsSeen seen = script.Run();
    ASSERT_EQ(seen.connections.size(), 1u);
    const StreamSeen& stream = seen.connections[0].direction[0];
    ASSERT_EQ(stream.holes.size(), 1u);
    EXPECT_EQ(stream.holes[0].offset, 10u);
    EXPECT_EQ(stream.holes[0].size, 1000u);
    EXPECT_EQ(stream.bytes, Lettered(10) + Lettered(10, 1010));
    EXPECT_TRUE(stream.contiguous);
    EXPECT_EQ(seen.counters.LostTotal(), 1000u);
  }
}

// One that starts before the wrap, with and without new bytes behind it.
TEST(PeerFaults, GopacketRetransmissionThatStartsBeforeTheWrapRepeatsNothing) {
  for (uint32_t again_at : {0u - 20, 0u - 1, 0u}) {
    for (uint32_t size : {1u, 20u, 21u, 60u}) {
      SCOPED_TRACE(testing::Message() << again_at << " " << size);
      const uint32_t start = 0u - 30;
      TcpScript script;
      script.Handshake(kClient, start - 1, 7000);
      script.Send(kClient, {.seq = start, .ack = 7001}, Lettered(50));
      script.Send(kClient, {.seq = again_at, .ack = 7001}, Lettered(size, again_at - start));
      const uint32_t end = std::max(50u, again_at - start + size);
      script.Send(kClient, {.seq = start + end, .ack = 7001}, Lettered(10, end));
      const StreamsSeen seen = script.Run();
      ASSERT_EQ(seen.connections.size(), 1u);
      const StreamSeen& stream = seen.connections[0].direction[0];
      EXPECT_EQ(stream.bytes, Lettered(end + 10));
      EXPECT_TRUE(stream.holes.empty());
      EXPECT_EQ(seen.counters.retransmitted, 60 + size - (end + 10));
    }
  }
}

TEST(PeerFaults, GopacketAnOldResetNeitherClosesNorDropsTheRest) {
  for (uint32_t reset_at : {101u, 150u, 0u - 2'000'000}) {
    SCOPED_TRACE(reset_at);
    TcpScript script;
    script.Handshake(kClient, 100, 7000);
    script.Send(kClient, {.seq = 101, .ack = 7001}, Lettered(100));
    script.Send(kClient, {.seq = reset_at, .flags = tcp_flag::kRst});
    script.Send(kClient, {.seq = 201, .ack = 7001}, Lettered(100, 100));
    script.Send(kServer, {.seq = 7001, .ack = 301}, Lettered(50));
    const StreamsSeen seen = script.Run();
    ASSERT_EQ(seen.connections.size(), 1u);
    EXPECT_EQ(seen.connections[0].direction[0].bytes, Lettered(200));
    EXPECT_EQ(seen.connections[0].direction[1].bytes, Lettered(50));
    EXPECT_EQ(seen.connections[0].record.end, FlowEnd::kEnd);
    EXPECT_EQ(seen.counters.RefusedTotal(), 0u);
  }
}

// What a policy prefers is the same whether the first copy was in order or waited behind a hole.
TEST(PeerFaults, GopacketOverlapDoesNotDependOnWhatCameInOrder) {
  for (size_t policy = 0; policy < kOverlapPolicies; ++policy) {
    SCOPED_TRACE(kOverlapPolicyNames[policy]);
    // Both copies behind the first ten bytes, or behind a hole that these fill afterwards.
    for (const auto& [first, second] : {std::pair{10, 10}, {10, 15}, {15, 10}, {12, 10}}) {
      SCOPED_TRACE(testing::Message() << first << " " << second);
      std::string result[2];
      for (bool in_order : {true, false}) {
        TcpScript script;
        script.Handshake(kClient, 99, 7000);
        const auto start = [&] { script.Send(kClient, {.seq = 100, .ack = 7001}, Lettered(10)); };
        if (in_order) start();
        script.Send(kClient, {.seq = 100u + first, .ack = 7001}, std::string(10, 'a'));
        script.Send(kClient, {.seq = 100u + second, .ack = 7001}, std::string(10, 'b'));
        if (!in_order) start();
        script.Send(kServer, {.seq = 7001, .ack = 100u + std::max(first, second) + 10});
        const StreamsSeen seen =
            script.Run(StreamShardOptions({.overlap = static_cast<OverlapPolicy>(policy)}));
        ASSERT_EQ(seen.connections.size(), 1u);
        const StreamSeen& stream = seen.connections[0].direction[0];
        EXPECT_TRUE(stream.contiguous);
        EXPECT_TRUE(stream.holes.empty());
        result[in_order] = stream.bytes;
      }
      EXPECT_EQ(result[0], result[1]);
    }
  }
}

TEST(PeerFaults, GopacketASynAnsweredByResetCloses) {
  TcpScript script;
  script.Send(kClient, {.seq = 100, .flags = tcp_flag::kSyn});
  script.Send(kServer, {.seq = 0, .ack = 101, .flags = tcp_flag::kRst | tcp_flag::kAck});
  script.Wait(15 * kSecond);  // longer than closed flows linger, shorter than half-open ones
  script.Send({"10.0.0.3", 1, "10.0.0.4", 2}, {.seq = 1});
  const StreamsSeen seen = script.Run();
  ASSERT_FALSE(seen.connections.empty());
  EXPECT_TRUE(seen.connections[0].ended);
  EXPECT_EQ(seen.connections[0].record.end, FlowEnd::kRst);
  EXPECT_EQ(seen.connections[0].record.state, FlowState::kReset);
}

// A new connection of the same ports, while segments of the old one still arrive.
TEST(PeerFaults, GopacketPortReuseDoesNotMixTwoConnections) {
  constexpr uint32_t kOld = 1000, kNew = 3'000'000'000;
  for (bool closed : {false, true}) {
    SCOPED_TRACE(closed);
    TcpScript script;
    script.Handshake(kClient, kOld - 1, 7000);
    script.Send(kClient, {.seq = kOld, .ack = 7001}, Lettered(100));
    script.Send(kServer, {.seq = 7001, .ack = kOld + 100}, Lettered(40));
    if (closed) {
      script.Send(kClient,
                  {.seq = kOld + 100, .ack = 7041, .flags = tcp_flag::kFin | tcp_flag::kAck});
      script.Send(kServer,
                  {.seq = 7041, .ack = kOld + 101, .flags = tcp_flag::kFin | tcp_flag::kAck});
      script.Send(kClient, {.seq = kOld + 101, .ack = 7042});
    }
    script.Handshake(kClient, kNew - 1, 0xF000'0000);
    script.Send(kClient, {.seq = kNew, .ack = 0xF000'0001}, Lettered(30, 5000));
    // Late copies of the old connection's, both sides.
    script.Send(kClient, {.seq = kOld + 50, .ack = 7041}, Lettered(100, 50));
    script.Send(kServer, {.seq = 7001, .ack = kOld + 100}, Lettered(40));
    script.Send(kClient, {.seq = kNew + 30, .ack = 0xF000'0001}, Lettered(30, 5030));
    script.Send(kServer, {.seq = 0xF000'0001, .ack = kNew + 60}, Lettered(20, 9000));
    const StreamsSeen seen = script.Run();
    ASSERT_EQ(seen.connections.size(), 2u);
    EXPECT_EQ(seen.connections[0].direction[0].bytes, Lettered(100));
    EXPECT_EQ(seen.connections[0].direction[1].bytes, Lettered(40));
    EXPECT_EQ(seen.connections[1].direction[0].bytes, Lettered(60, 5000));
    EXPECT_EQ(seen.connections[1].direction[1].bytes, Lettered(20, 9000));
    EXPECT_TRUE(seen.connections[1].direction[0].holes.empty());
    EXPECT_TRUE(seen.connections[1].direction[1].holes.empty());
    EXPECT_EQ(seen.counters.refused[static_cast<size_t>(Refused::kOutOfWindow)], 140u);
    EXPECT_TRUE(seen.balanced);
  }
}

}  // namespace
}  // namespace weir::test

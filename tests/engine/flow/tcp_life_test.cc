// The TCP life cycle through the tracker.

#include <gtest/gtest.h>

#include "engine/tcp/tcp_state.h"
#include "tests/support/flow_feeder.h"

namespace weir {
namespace {

using test::FlowFeeder;
using test::kSecond;
using test::MakeSender;
using test::Segment;
using test::Sender;

constexpr uint8_t kSyn = tcp_flag::kSyn;
constexpr uint8_t kAck = tcp_flag::kAck;
constexpr uint8_t kFin = tcp_flag::kFin;
constexpr uint8_t kRst = tcp_flag::kRst;

class TcpLifeTest : public ::testing::Test {
 protected:
  void Client(const Segment& segment) { feeder_.SendTcp(client_, time_ += 1000, segment); }
  void Server(const Segment& segment) {
    feeder_.SendTcp(client_.Reverse(), time_ += 1000, segment);
  }
  void Handshake(uint32_t client_isn = 1000, uint32_t server_isn = 9000) {
    Client({kSyn, client_isn, 0});
    Server({kSyn | kAck, server_isn, client_isn + 1});
    Client({kAck, client_isn + 1, server_isn + 1});
  }
  FlowRecord Now() {
    FlowRecord record;
    feeder_.tracker().ForEach([&](FlowHandle flow) { feeder_.tracker().Read(flow, record); });
    return record;
  }
  FlowRecord Last() {
    feeder_.Flush();
    return feeder_.Ended().back();
  }

  const Sender client_ = MakeSender(ip_protocol::kTcp, 0x0a000001, 40000, 0x0a000002, 80);
  FlowFeeder feeder_;
  int64_t time_ = 1000 * kSecond;
};

TEST_F(TcpLifeTest, HandshakeDataAndCloseEndWithFin) {
  Handshake();
  EXPECT_EQ(Now().state, FlowState::kEstablished);
  Client({kAck, 1001, 9001, 100});
  Server({kAck, 9001, 1101, 500});
  Client({kFin | kAck, 1101, 9501});
  EXPECT_EQ(Now().state, FlowState::kHalfClosed);
  Server({kFin | kAck, 9501, 1102});
  EXPECT_EQ(Now().state, FlowState::kClosing);
  Client({kAck, 1102, 9502});
  EXPECT_EQ(Now().state, FlowState::kClosed);
  const FlowRecord record = Last();
  EXPECT_EQ(record.end, FlowEnd::kFin);
  EXPECT_STREQ(record.history.data(), "ShADdFf");
}

TEST_F(TcpLifeTest, HistorySpellsEachLetterOncePerSide) {
  Handshake();
  for (int i = 0; i < 3; ++i) Client({kAck, 1001, 9001, 100});
  EXPECT_STREQ(Now().history.data(), "ShAD");
}

TEST_F(TcpLifeTest, EstablishedIsReportedAtTheHandshakesEnd) {
  Client({kSyn, 1000, 0});
  Server({kSyn | kAck, 9000, 1001});
  EXPECT_EQ(feeder_.Count(EventKind::kFlowEstablished), 0u);
  Client({kAck, 1001, 9001});
  EXPECT_EQ(feeder_.Count(EventKind::kFlowEstablished), 1u);
}

TEST_F(TcpLifeTest, SynAnsweredByRstEndsReset) {
  Client({kSyn, 1000, 0});
  Server({kRst | kAck, 0, 1001});
  EXPECT_EQ(Now().state, FlowState::kReset);
  EXPECT_EQ(Last().end, FlowEnd::kRst);
}

TEST_F(TcpLifeTest, RstThatDoesNotAnswerTheSynIsNotBelieved) {
  Client({kSyn, 1000, 0});
  Server({kRst | kAck, 0, 0x70000000});
  EXPECT_EQ(Now().state, FlowState::kSynSent);
  EXPECT_EQ(feeder_.counters().resets_ignored, 1u);
}

TEST_F(TcpLifeTest, RstAtTheExpectedNumberResets) {
  Handshake();
  Client({kAck, 1001, 9001, 100});
  Client({kRst, 1101, 0});
  EXPECT_EQ(Now().state, FlowState::kReset);
}

TEST_F(TcpLifeTest, RstAtTheNumberThePeerAcknowledgedResetsThoughSegmentsWereLost) {
  Handshake();
  Server({kAck, 9001, 5001});  // acknowledges what we never saw
  Client({kRst, 5001, 0});
  EXPECT_EQ(Now().state, FlowState::kReset);
}

// PEERS, gopacket: an old RST half-closes the stream and the rest is dropped silently.
TEST_F(TcpLifeTest, AnOldRstDoesNotEndTheConnection) {
  Handshake();
  Client({kAck, 1001, 9001, 5000});
  Client({kRst, 1500, 0});
  EXPECT_EQ(Now().state, FlowState::kEstablished);
  EXPECT_EQ(feeder_.counters().resets_doubted, 1u);
  Client({kAck, 6001, 9001, 100});
  Server({kAck, 9001, 6101, 10});
  EXPECT_EQ(Now().packets[0], 5u);
  feeder_.AdvanceTo(time_ + 200 * kSecond);
  EXPECT_EQ(feeder_.Ended().size(), 0u) << "traffic after the RST proves that the connection lives";
}

TEST_F(TcpLifeTest, ADoubtfulRstFollowedBySilenceEndsSoonAsReset) {
  Handshake();
  Client({kAck, 1001, 9001, 5000});
  Client({kRst, 1500, 0});
  feeder_.AdvanceTo(time_ + 11 * kSecond);
  ASSERT_EQ(feeder_.Ended().size(), 1u);
  EXPECT_EQ(feeder_.Ended()[0].end, FlowEnd::kRst);
}

TEST_F(TcpLifeTest, SimultaneousOpen) {
  Client({kSyn, 1000, 0});
  Server({kSyn, 9000, 0});
  EXPECT_EQ(Now().state, FlowState::kSynReceived);
  Client({kSyn | kAck, 1000, 9001});
  EXPECT_EQ(Now().state, FlowState::kEstablished);
  Server({kSyn | kAck, 9000, 1001});
  EXPECT_EQ(Now().state, FlowState::kEstablished);
  EXPECT_EQ(feeder_.counters().started, 1u);
}

// PEERS, gopacket: port reuse mixes two connections.
TEST_F(TcpLifeTest, ASynWithAnotherNumberOnAnOpenFlowStartsANewOne) {
  Handshake();
  Client({kSyn, 777'777, 0});
  ASSERT_EQ(feeder_.Ended().size(), 1u);
  EXPECT_EQ(feeder_.Ended()[0].packets[0], 2u);
  EXPECT_EQ(Now().state, FlowState::kSynSent);
  EXPECT_EQ(feeder_.counters().ports_reused, 1u);
}

TEST_F(TcpLifeTest, ASynRetransmissionDoesNot) {
  Client({kSyn, 1000, 0});
  Client({kSyn, 1000, 0});
  Server({kSyn | kAck, 9000, 1001});
  Server({kSyn | kAck, 9000, 1001});
  Client({kAck, 1001, 9001});
  EXPECT_EQ(feeder_.counters().started, 1u);
  EXPECT_EQ(Now().state, FlowState::kEstablished);
}

TEST_F(TcpLifeTest, ASynOnAClosedFlowStartsANewOneWhateverItsNumber) {
  Handshake();
  Client({kRst, 1001, 0});
  Client({kSyn, 1000, 0});
  EXPECT_EQ(feeder_.counters().started, 2u);
  EXPECT_EQ(feeder_.Ended()[0].end, FlowEnd::kRst);
}

TEST_F(TcpLifeTest, ARefusedAttemptThatIsRepeatedIsTheSameFlow) {
  Client({kSyn, 1000, 0});
  Server({kRst | kAck, 0, 1001});
  Client({kSyn, 1000, 0});
  EXPECT_EQ(feeder_.counters().started, 1u);
  EXPECT_EQ(Now().state, FlowState::kSynSent) << "it may still succeed";
  Server({kSyn | kAck, 9000, 1001});
  Client({kAck, 1001, 9001});
  EXPECT_EQ(Now().state, FlowState::kEstablished);
}

TEST_F(TcpLifeTest, ASynAckOfAnotherConnectionOnAClosedFlowStartsANewOne) {
  Handshake();
  Client({kRst, 1001, 0});
  Server({kSyn | kAck, 777'777, 5001});
  EXPECT_EQ(feeder_.counters().started, 2u);
}

TEST_F(TcpLifeTest, SynWithRstOrFinStartsNothing) {
  Handshake();
  Client({kSyn | kRst, 50'000'000, 0});
  Client({kSyn | kFin, 60'000'000, 0});
  EXPECT_EQ(feeder_.counters().started, 1u);
}

TEST_F(TcpLifeTest, AClosedFlowLingersForLatePackets) {
  Handshake();
  Client({kFin | kAck, 1001, 9001});
  Server({kFin | kAck, 9001, 1002});
  Client({kAck, 1002, 9002});
  time_ += 5 * kSecond;
  Server({kAck, 9002, 1002});
  EXPECT_EQ(feeder_.counters().started, 1u);
  feeder_.AdvanceTo(time_ + 11 * kSecond);
  ASSERT_EQ(feeder_.Ended().size(), 1u);
  EXPECT_EQ(feeder_.Ended()[0].end, FlowEnd::kFin);
  EXPECT_EQ(feeder_.Ended()[0].packets[1], 3u);
}

TEST_F(TcpLifeTest, JoinedInTheMiddleTheFirstSenderIsTheInitiator) {
  Server({kAck, 5000, 600, 10});
  EXPECT_EQ(Now().state, FlowState::kNew);
  EXPECT_TRUE(Now().midstream);
  Client({kAck, 600, 5010, 10});
  EXPECT_EQ(Now().state, FlowState::kEstablished);
  EXPECT_EQ(Now().key.source_port, 80);
}

TEST_F(TcpLifeTest, ASynAckAloneTellsTheInitiator) {
  Server({kSyn | kAck, 9000, 1001});
  EXPECT_EQ(Now().key.source_port, 40000);
  EXPECT_EQ(Now().packets, (std::array<uint64_t, 2>{0, 1}));
  Client({kAck, 1001, 9001});
  EXPECT_EQ(Now().state, FlowState::kEstablished);
  EXPECT_STREQ(Now().history.data(), "hA");
}

TEST_F(TcpLifeTest, ASynAfterAStrayPacketCorrectsTheInitiator) {
  Server({kAck, 5000, 600});
  Client({kSyn, 1000, 0});
  EXPECT_EQ(Now().key.source_port, 40000);
  EXPECT_STREQ(Now().history.data(), "a^S");
}

TEST_F(TcpLifeTest, ACorrectedInitiatorIsTold) {
  Server({kAck, 5000, 600});
  EXPECT_EQ(feeder_.Records(EventKind::kFlowStarted).at(0).key.source_port, 80);
  Client({kSyn, 1000, 0});
  const auto flipped = feeder_.Records(EventKind::kFlowFlipped);
  ASSERT_EQ(flipped.size(), 1u);
  EXPECT_EQ(flipped[0].key.source_port, 40000);
}

TEST_F(TcpLifeTest, AFlowThatStartsWithItsAnswerIsToldOnceTheRightWayRound) {
  Server({kSyn | kAck, 9000, 1001});
  EXPECT_EQ(feeder_.Count(EventKind::kFlowFlipped), 0u);
  EXPECT_EQ(feeder_.Records(EventKind::kFlowStarted).at(0).key.source_port, 40000);
}

TEST_F(TcpLifeTest, HalfOpenFlowsEndFarSoonerThanEstablishedOnes) {
  Client({kSyn, 1000, 0});
  feeder_.AdvanceTo(time_ + 21 * kSecond);
  EXPECT_EQ(feeder_.Ended().size(), 1u);
  time_ += 30 * kSecond;
  Handshake();
  feeder_.AdvanceTo(time_ + 299 * kSecond);
  EXPECT_EQ(feeder_.Ended().size(), 1u);
  feeder_.AdvanceTo(time_ + 301 * kSecond);
  EXPECT_EQ(feeder_.Ended().size(), 2u);
  EXPECT_EQ(feeder_.Ended()[1].end, FlowEnd::kIdle);
}

TEST_F(TcpLifeTest, NumbersWrapWithoutHarm) {
  Handshake(0xffff'fff0, 0xffff'fffe);
  Client({kAck, 0xffff'fff1, 0xffff'ffff, 100});
  Client({kFin | kAck, 0x55, 0xffff'ffff});
  Server({kFin | kAck, 0xffff'ffff, 0x56});
  Client({kAck, 0x56, 0});
  EXPECT_EQ(Now().state, FlowState::kClosed);
}

TEST_F(TcpLifeTest, FlagsAreKeptPerDirection) {
  Handshake();
  Client({kAck | tcp_flag::kPsh, 1001, 9001, 5});
  EXPECT_EQ(Now().tcp_flags[0], kSyn | kAck | tcp_flag::kPsh);
  EXPECT_EQ(Now().tcp_flags[1], kSyn | kAck);
}

TEST(TcpState, NothingLeadsOutOfTheEnd) {
  for (int event = 0; event < static_cast<int>(TcpEvent::kCount); ++event) {
    EXPECT_EQ(Next(TcpState::kClosed, static_cast<TcpEvent>(event)), TcpState::kClosed);
    EXPECT_EQ(Next(TcpState::kReset, static_cast<TcpEvent>(event)), TcpState::kReset);
  }
}

TEST(TcpState, ResetsAreJudgedByRfc5961) {
  EXPECT_EQ(JudgeReset(100, 100, false), ResetVerdict::kAccept);
  EXPECT_EQ(JudgeReset(99, 100, true), ResetVerdict::kAccept);
  EXPECT_EQ(JudgeReset(99, 100, false), ResetVerdict::kDoubt);
  EXPECT_EQ(JudgeReset(5000, 100, false), ResetVerdict::kDoubt);
  EXPECT_EQ(JudgeReset(100 + (1 << 21), 100, false), ResetVerdict::kIgnore);
  EXPECT_EQ(JudgeReset(5, 0xffff'fffb, false), ResetVerdict::kDoubt);
}

}  // namespace
}  // namespace weir

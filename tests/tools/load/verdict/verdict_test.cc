#include "tools/load/verdict/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/packet/packet.h"

namespace weir::load {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Two flows of TCP, all of which arrived.
class VerdictTest : public ::testing::Test {
 protected:
  VerdictTest() {
    for (int i = 0; i < 2; ++i) {
      FlowTruth& flow = truth_.flows.emplace_back();
      flow.packets[0] = 10;
      flow.packets[1] = 20;
      flow.wire_bytes[0] = 1'000;
      flow.wire_bytes[1] = 9'000;
      flow.stream_bytes[1] = 8'000;
      flow.protocol = ip_protocol::kTcp;
      ObservedFlow& seen = seen_.Flow(static_cast<uint32_t>(i));
      seen.packets = {10, 20};
      seen.wire_bytes = {1'000, 9'000};
      seen.delivered = {0, 8'000};
      seen.records = 1;
    }
    truth_.frames = 60;
    seen_.checked_bytes = 16'000;
    counters_.ledger.received = counters_.ledger.tracked = 60;
    counters_.stream_memory_limit_bytes = 1;
  }

  Verdict Pass(bool shared = false) {
    return Judge({.truth = truth_,
                  .seen = seen_,
                  .counters = counters_,
                  .sent = truth_.frames,
                  .refused = refused_,
                  .shared = shared});
  }
  void Lose(uint32_t frames) {
    counters_.ledger.received -= frames;
    counters_.ledger.tracked -= frames;
    seen_.flows[1].packets[1] -= frames;
    seen_.flows[1].wire_bytes[1] -= 400 * frames;
    seen_.flows[1].delivered[1] -= 300 * frames;
    seen_.flows[1].holes[1] += 300 * frames;
  }

  Truth truth_;
  Observation seen_;
  ShardCounters counters_;
  uint64_t refused_ = 0;
};

TEST_F(VerdictTest, IsGoodWhereAllArrived) {
  const Verdict verdict = Pass();
  EXPECT_THAT(verdict.faults, IsEmpty());
  EXPECT_THAT(verdict.losses, IsEmpty());
  EXPECT_EQ(verdict.flows_found, 2u);
  EXPECT_EQ(verdict.bytes_delivered, 16'000u);
}

TEST_F(VerdictTest, ALossThatTheRingNamesIsNoFault) {
  Lose(2);
  counters_.source.ring_dropped = 2;
  const Verdict verdict = Pass();
  EXPECT_THAT(verdict.faults, IsEmpty());
  EXPECT_THAT(verdict.losses, ElementsAre(HasSubstr("2 frames found the receiver's ring full")));
  EXPECT_EQ(verdict.lost, 2u);
}

TEST_F(VerdictTest, ALossThatNoCounterNamesIsAFault) {
  Lose(2);
  counters_.source.ring_dropped = 1;
  EXPECT_THAT(Pass().faults, ElementsAre(HasSubstr("1 frames are missing, and no counter"),
                                         HasSubstr("2 packets are missing in the flows")));
}

TEST_F(VerdictTest, AFlowThatWasNotFoundIsAFault) {
  seen_.flows[1] = {};
  EXPECT_THAT(Pass().faults, ElementsAre(HasSubstr("30 packets are missing in the flows"),
                                         HasSubstr("1 flows were not found")));
}

TEST_F(VerdictTest, MoreThanWasSentIsAFaultEvenWhereFramesWereLost) {
  Lose(1);
  counters_.source.ring_dropped = 1;
  ++seen_.flows[0].packets[0];
  EXPECT_THAT(Pass().faults, ElementsAre(HasSubstr("flow 0: packets 11+20 of 10+20")));
}

TEST_F(VerdictTest, BytesInTheWrongDirectionAreAFault) {
  std::swap(seen_.flows[0].packets[0], seen_.flows[0].packets[1]);
  EXPECT_FALSE(Pass().good());
}

TEST_F(VerdictTest, AFlowInTwoRecordsIsAFault) {
  seen_.flows[0].records = 2;
  EXPECT_THAT(Pass().faults, ElementsAre(HasSubstr("flow 0: 2 records")));
}

TEST_F(VerdictTest, NothingDeliveredAtAllIsAFault) {
  for (ObservedFlow& flow : seen_.flows) flow.delivered = {};
  seen_.checked_bytes = 0;
  EXPECT_THAT(Pass().faults, ElementsAre(HasSubstr("2 streams that do not add up")));
}

TEST_F(VerdictTest, AByteThatWasNeitherDeliveredNorAnnouncedIsAFault) {
  --seen_.flows[0].delivered[1];
  EXPECT_THAT(Pass().faults, ElementsAre(HasSubstr("7999 bytes delivered and 0 announced")));
}

TEST_F(VerdictTest, BytesThatTheSenderLeftOutMustBeAnnounced) {
  truth_.flows[0].missing_bytes[1] = 100;
  seen_.flows[0].delivered[1] -= 100;
  EXPECT_FALSE(Pass().good());
  seen_.flows[0].holes[1] = 100;
  EXPECT_TRUE(Pass().good());
}

TEST_F(VerdictTest, AWrongByteIsAFaultAndToldWithItsPlace) {
  seen_.AddWrong({.flow = 1, .direction = 1, .offset = 77, .size = 300});
  EXPECT_THAT(Pass().faults, ElementsAre(HasSubstr("flow 1 direction 1 offset 77")));
}

TEST_F(VerdictTest, AWellFormedFrameThatWasCalledMalformedIsAFault) {
  Lose(1);
  counters_.ledger.received += 1;
  counters_.ledger.malformed[0] = 1;
  EXPECT_THAT(Pass().faults, ElementsAre(HasSubstr("1 frames were malformed")));
}

TEST_F(VerdictTest, ForeignFramesAreAFaultOnlyWhereNobodyElseSends) {
  counters_.ledger.received += 3;
  counters_.ledger.not_ip = 3;
  EXPECT_FALSE(Pass().good());
  EXPECT_TRUE(Pass(true).good());
}

TEST_F(VerdictTest, ALedgerThatDoesNotAddUpIsAFault) {
  counters_.ledger.ledger_errors = 1;
  EXPECT_THAT(Pass().faults, ElementsAre(HasSubstr("ledger")));
}

TEST_F(VerdictTest, FloodsAreCountedByFlows) {
  truth_.syn_flood = 3;
  truth_.frames += 3;
  counters_.ledger.received = counters_.ledger.tracked = 63;
  seen_.flood_records = 2;
  EXPECT_THAT(Pass().faults, ElementsAre(HasSubstr("one-packet flows of floods: 2 of 3")));
  seen_.flood_records = 3;
  EXPECT_TRUE(Pass().good());
}

TEST(ObservationTest, SumsOfShardsAreTheWhole) {
  Observation first, second;
  first.Flow(0).packets = {1, 2};
  second.Flow(0).packets = {10, 20};
  second.Flow(5).records = 1;
  second.AddWrong({.flow = 5});
  first.Add(second);
  EXPECT_EQ(first.flows[0].packets[1], 22u);
  EXPECT_EQ(first.flows[5].records, 1u);
  EXPECT_EQ(first.wrong_pieces, 1u);
  EXPECT_EQ(first.wrong[0].flow, 5u);
}

TEST(ObservationTest, CountsMoreWrongPiecesThanItLists) {
  Observation seen, sum;
  for (size_t i = 0; i < Observation::kMostListed + 4; ++i) seen.AddWrong({});
  sum.Add(seen);
  EXPECT_EQ(sum.wrong.size(), Observation::kMostListed);
  EXPECT_EQ(sum.wrong_pieces, Observation::kMostListed + 4);
}

}  // namespace
}  // namespace weir::load

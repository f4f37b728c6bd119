// Bytes in any order come out in the stream's. Each case also runs with sequence numbers that wrap
// in the middle of it.
#include <utility>

#include "tests/engine/tcp/reassembling.h"

namespace weir::test {
namespace {

class ReassemblerOrder : public Reassembling {
 protected:
  void Start() { Reassembling::Start(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(First, ReassemblerOrder,
                         ::testing::Values(1000u, 0u - 1, 0u - 2, 0u - 3, 0u - 4, 0u - 5,
                                           (1u << 31) - 3));

TEST_P(ReassemblerOrder, BytesInOrderPass) {
  Start();
  Feed(0, "abc");
  Feed(3, "def");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abc", "0 data 3:def"}));
  EXPECT_EQ(counters().delivered, 6u);
  EXPECT_FALSE(told_.waiting);
}

TEST_P(ReassemblerOrder, EarlyBytesWaitForTheirTurn) {
  Start();
  Feed(3, "def");
  EXPECT_EQ(told_.Take(), Events{});
  EXPECT_TRUE(told_.waiting);
  EXPECT_EQ(counters().buffered, 3u);
  Feed(0, "abc");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abc", "0 data 3:def"}));
  EXPECT_FALSE(told_.waiting);
  EXPECT_EQ(counters().out_of_order, 1u);
}

TEST_P(ReassemblerOrder, SegmentsBackToFront) {
  Start();
  Feed(4, "e");
  Feed(3, "d");
  Feed(2, "c");
  Feed(1, "b");
  Feed(0, "a");
  EXPECT_EQ(told_.Take(),
            (Events{"0 data 0:a", "0 data 1:b", "0 data 2:c", "0 data 3:d", "0 data 4:e"}));
}

TEST_P(ReassemblerOrder, RepeatedSegmentIsCountedOnly) {
  Start();
  Feed(0, "abcdef");
  told_.Take();
  Feed(0, "abcdef");
  Feed(2, "cd");
  EXPECT_EQ(told_.Take(), Events{});
  EXPECT_EQ(counters().retransmitted, 8u);
}

TEST_P(ReassemblerOrder, NewEndOfARepeatedSegmentCounts) {
  Start();
  Feed(0, "abcd");
  Feed(2, "cdef");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abcd", "0 data 4:ef"}));
  EXPECT_EQ(counters().retransmitted, 2u);
}

TEST_P(ReassemblerOrder, WaitingBytesThatComeAgainAreRepeated) {
  Start();
  Feed(2, "cde");
  Feed(2, "cde");
  Feed(3, "d");
  EXPECT_EQ(counters().retransmitted, 4u);
  EXPECT_EQ(counters().buffered, 3u);
}

TEST_P(ReassemblerOrder, SegmentInOrderThatReachesIntoWhatWaits) {
  Start();
  Feed(3, "de");
  Feed(0, "abcdefg");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abc", "0 data 3:de", "0 data 5:fg"}));
  EXPECT_EQ(counters().retransmitted, 2u);
  EXPECT_EQ(counters().conflicts, 0u);
}

TEST_P(ReassemblerOrder, EarlySegmentOverlapsWhatWaitsOnBothSides) {
  Start();
  Feed(3, "de");
  Feed(2, "cdef");
  Feed(0, "ab");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 data 2:c", "0 data 3:de", "0 data 5:f"}));
  EXPECT_EQ(counters().retransmitted, 2u);
}

TEST_P(ReassemblerOrder, FirstBytesStayWhereOthersContradict) {
  Start();
  Feed(3, "de");
  Feed(2, "cXef");
  EXPECT_EQ(told_.Take(), Events{"0 conflict 3:X old"});
  Feed(0, "abcdYf");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 data 2:c", "0 conflict 4:Y old", "0 data 3:de",
                                  "0 data 5:f"}));
  EXPECT_EQ(counters().conflicting, 2u);
  EXPECT_EQ(reassembler_->totals(connection_, 0).conflicts, 2u);
}

TEST_P(ReassemblerOrder, HoleIsAnnouncedAtTheEnd) {
  Start();
  Feed(0, "ab");
  Feed(4, "ef");
  Feed(8, "ij");
  Close();
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 hole 2+2 end", "0 data 4:ef", "0 hole 6+2 end",
                                  "0 data 8:ij", "0 end 10 flow", "1 end 0 flow"}));
  EXPECT_EQ(counters().LostTotal(), 4u);
  EXPECT_EQ(counters().buffered, 0u);
}

TEST_P(ReassemblerOrder, FinInOrderEnds) {
  Start();
  Feed(0, "abc", true);
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abc", "0 end 3 fin"}));
}

TEST_P(ReassemblerOrder, FinWithoutBytesEnds) {
  Start();
  Feed(0, "abc");
  Feed(3, "", true);
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abc", "0 end 3 fin"}));
}

TEST_P(ReassemblerOrder, FinBeforeTheLastBytesWaitsForThem) {
  Start();
  Feed(3, "", true);
  EXPECT_TRUE(told_.waiting);
  Feed(0, "abc");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abc", "0 end 3 fin"}));
  EXPECT_FALSE(told_.waiting);
}

TEST_P(ReassemblerOrder, FinOfWhatIsLostEndsBehindTheHole) {
  Start();
  Feed(3, "", true);
  Close(StreamEnd::kFlow);
  EXPECT_EQ(told_.Take(), (Events{"0 hole 0+3 end", "0 end 3 fin", "1 end 0 flow"}));
}

TEST_P(ReassemblerOrder, BytesBehindTheFinAreRefused) {
  Start();
  Feed(2, "c", true);
  Feed(2, "cde");
  Feed(0, "ab");
  Feed(3, "de");
  Feed(1, "bc");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 data 2:c", "0 end 3 fin"}));
  EXPECT_EQ(Refused(Refused::kAfterEnd), 4u);
  EXPECT_EQ(counters().retransmitted, 3u);
}

TEST_P(ReassemblerOrder, WaitingBytesBehindALaterFinAreRefused) {
  Start();
  Feed(2, "cdef");
  Feed(0, "abc", true);
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 data 2:c", "0 end 3 fin"}));
  EXPECT_EQ(Refused(Refused::kAfterEnd), 3u);
}

TEST_P(ReassemblerOrder, FirstFinCounts) {
  Start();
  Feed(2, "c", true);
  Feed(4, "e", true);
  Feed(0, "ab");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 data 2:c", "0 end 3 fin"}));
}

TEST_P(ReassemblerOrder, KeepAliveIsRepeated) {
  Start();
  Feed(0, "abc");
  told_.Take();
  Feed(2, std::string(1, '\0'));
  Feed(3, "def");
  EXPECT_EQ(told_.Take(), Events{"0 data 3:def"});
  EXPECT_EQ(counters().retransmitted, 1u);
  EXPECT_EQ(counters().conflicts, 0u);
}

TEST_P(ReassemblerOrder, ZeroWindowProbeIsTheNextByte) {
  Start();
  Feed(0, "abc");
  Feed(3, "d");
  Feed(3, "d");
  Feed(3, "def");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abc", "0 data 3:d", "0 data 4:ef"}));
  EXPECT_EQ(counters().retransmitted, 2u);
}

TEST_P(ReassemblerOrder, LateBytesForAnAnnouncedHole) {
  options_.hole_timeout_ns = kSecond;
  Start();
  Feed(2, "cd");
  Pass(2 * kSecond);
  EXPECT_EQ(told_.Take(), (Events{"0 hole 0+2 timeout", "0 data 2:cd"}));
  Feed(1, "bc");
  EXPECT_EQ(told_.Take(), Events{});
  EXPECT_EQ(Refused(Refused::kLate), 1u);
  EXPECT_EQ(counters().retransmitted, 1u);
}

TEST_P(ReassemblerOrder, TruncatedSegmentLeavesAHole) {
  Start();
  FeedCut(0, "ab", 5);
  Feed(5, "f");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 hole 2+3 truncated", "0 data 5:f"}));
}

TEST_P(ReassemblerOrder, TruncatedSegmentWhoseEndIsThere) {
  Start();
  Feed(3, "de");
  FeedCut(0, "ab", 6);
  EXPECT_EQ(told_.Take(),
            (Events{"0 data 0:ab", "0 hole 2+1 truncated", "0 data 3:de", "0 hole 5+1 truncated"}));
}

TEST_P(ReassemblerOrder, TruncatedSegmentOfWhichAllThatWasCapturedIsOld) {
  Start();
  Feed(0, "abcd");
  FeedCut(0, "ab", 6);
  Feed(6, "g");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abcd", "0 hole 4+2 truncated", "0 data 6:g"}));
}

}  // namespace
}  // namespace weir::test

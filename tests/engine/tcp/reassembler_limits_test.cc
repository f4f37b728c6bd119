// When holes are given up, and that memory is bounded and comes back.
#include "tests/engine/tcp/reassembling.h"
#include "tests/support/allocation_counter.h"

namespace weir::test {
namespace {

using ReassemblerLimits = Reassembling;

TEST_F(ReassemblerLimits, AcknowledgedHoleIsGivenUpAfterAGrace) {
  Start();
  Feed(2, "cd");
  Acknowledge(4);
  EXPECT_EQ(told_.Take(), Events{});
  Pass(options_.acknowledged_grace_ns - 1);
  EXPECT_EQ(told_.Take(), Events{});
  Pass(1);
  EXPECT_EQ(told_.Take(), (Events{"0 hole 0+2 acknowledged", "0 data 2:cd"}));
  EXPECT_FALSE(told_.waiting);
}

TEST_F(ReassemblerLimits, BytesThatComeWithinTheGraceFillTheHole) {
  Start();
  Feed(2, "cd");
  Acknowledge(4);
  Pass(options_.acknowledged_grace_ns / 2);
  Feed(0, "ab");
  Pass(kSecond);
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 data 2:cd"}));
}

TEST_F(ReassemblerLimits, AcknowledgementOfAPartOfAHoleIsNotEnough) {
  Start();
  Feed(2, "cd");
  Acknowledge(1);
  Pass(kSecond);
  EXPECT_EQ(told_.Take(), Events{});
}

TEST_F(ReassemblerLimits, HoleBehindTheAcknowledgementStays) {
  Start();
  Feed(2, "cd");
  Feed(6, "gh");
  Acknowledge(4);
  Pass(kSecond);
  EXPECT_EQ(told_.Take(), (Events{"0 hole 0+2 acknowledged", "0 data 2:cd"}));
  Acknowledge(8);
  Pass(kSecond);
  EXPECT_EQ(told_.Take(), (Events{"0 hole 4+2 acknowledged", "0 data 6:gh"}));
}

TEST_F(ReassemblerLimits, AcknowledgementWithinTheGraceHasAGraceOfItsOwn) {
  Start();
  Feed(2, "cd");
  Feed(6, "gh");
  Acknowledge(4);
  Pass(options_.acknowledged_grace_ns / 2);
  Acknowledge(8);
  Pass(options_.acknowledged_grace_ns / 2);
  EXPECT_EQ(told_.Take(), (Events{"0 hole 0+2 acknowledged", "0 data 2:cd"}));
  Pass(options_.acknowledged_grace_ns);
  EXPECT_EQ(told_.Take(), (Events{"0 hole 4+2 acknowledged", "0 data 6:gh"}));
}

TEST_F(ReassemblerLimits, AcknowledgedFinEndsBehindTheHole) {
  Start();
  Feed(3, "", true);
  Acknowledge(4);
  Pass(kSecond);
  EXPECT_EQ(told_.Take(), (Events{"0 hole 0+3 acknowledged", "0 end 3 fin"}));
}

TEST_F(ReassemblerLimits, NoGraceGivesUpAtOnce) {
  options_.acknowledged_grace_ns = 0;
  Start();
  Feed(2, "cd");
  Acknowledge(4);
  EXPECT_EQ(told_.Take(), (Events{"0 hole 0+2 acknowledged", "0 data 2:cd"}));
}

TEST_F(ReassemblerLimits, GraceEndsOnTimeWithoutExpire) {
  Start();
  Feed(2, "cd");
  Acknowledge(4);
  const int64_t due = now_ns_ + options_.acknowledged_grace_ns;
  now_ns_ = due + kSecond;
  Feed(4, "ef");
  EXPECT_EQ(told_.Take(), (Events{"0 hole 0+2 acknowledged", "0 data 2:cd", "0 data 4:ef"}));
  EXPECT_EQ(told_.hole_time_ns, due);
}

TEST_F(ReassemblerLimits, OldHoleIsGivenUp) {
  Start();
  Feed(2, "cd");
  Pass(options_.hole_timeout_ns - 1);
  EXPECT_EQ(told_.Take(), Events{});
  Pass(1);
  EXPECT_EQ(told_.Take(), (Events{"0 hole 0+2 timeout", "0 data 2:cd"}));
}

TEST_F(ReassemblerLimits, EachHoleWaitsItsOwnTime) {
  Start();
  Feed(2, "cd");
  now_ns_ += kSecond;
  Feed(6, "gh");
  Pass(options_.hole_timeout_ns - kSecond);
  EXPECT_EQ(told_.Take(), (Events{"0 hole 0+2 timeout", "0 data 2:cd"}));
  Pass(kSecond);
  EXPECT_EQ(told_.Take(), (Events{"0 hole 4+2 timeout", "0 data 6:gh"}));
}

TEST_F(ReassemblerLimits, WithoutATimeoutAHoleWaitsForTheEnd) {
  options_.hole_timeout_ns = 0;
  Start();
  Feed(2, "cd");
  Pass(100'000 * kSecond);
  EXPECT_EQ(told_.Take(), Events{});
}

TEST_F(ReassemblerLimits, StreamThatHoldsTooManyBytesGivesUpItsFirstHole) {
  options_.stream_bytes = 2 * ChunkPool::kBytes;
  Start();
  const std::string bytes(ChunkPool::kBytes, 'x');
  Feed(1, bytes);
  Feed(10'000, bytes);
  EXPECT_EQ(told_.Take(), Events{});
  Feed(20'000, bytes);
  EXPECT_EQ(told_.Take(), (Events{"0 hole 0+1 stream_limit", "0 data 1:" + bytes}));
}

TEST_F(ReassemblerLimits, StreamWithTooManyPiecesGivesUpItsFirstHole) {
  options_.stream_pieces = 2;
  Start();
  Feed(1, "b");
  Feed(3, "d");
  Feed(5, "f");
  EXPECT_EQ(told_.Take(), (Events{"0 hole 0+1 stream_limit", "0 data 1:b"}));
}

TEST_F(ReassemblerLimits, SmallSegmentsInARowShareAChunk) {
  Start();
  for (int i = 1; i <= 1000; ++i) Feed(i, "x");
  EXPECT_EQ(counters().memory_bytes, ChunkPool::kBytes);
  Feed(0, "x");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:x", "0 data 1:" + std::string(1000, 'x')}));
}

TEST_F(ReassemblerLimits, GreedyStreamPaysForAllWhenMemoryIsShort) {
  options_.stream_bytes = 0;
  Start();
  told_.silent = true;
  const uint32_t modest = Another(8);
  FeedTo(modest, 0, 1, "b");
  const std::string bytes(ChunkPool::kBytes, 'x');
  for (int i = 0; i < 2000; ++i) {
    Feed(1 + i * 3000, bytes);
    if (i % 64 == 0) Pass(0);
  }
  EXPECT_GT(counters().holes[static_cast<size_t>(HoleReason::kMemory)], 1000u);
  EXPECT_LE(counters().memory_bytes, options_.memory_bytes);
  told_.silent = false;
  FeedTo(modest, 0, 0, "a");
  EXPECT_EQ(told_.Take(), (Events{"8/0 data 0:a", "8/0 data 1:b"}));
}

TEST_F(ReassemblerLimits, EarlyBytesPassWhenNoMemoryIsLeft) {
  options_.stream_bytes = 0;
  options_.memory_bytes = 1;  // the least
  Start();
  told_.silent = true;
  const std::string bytes(ChunkPool::kBytes, 'x');
  for (int i = 0; i < 100; ++i) Feed(1 + i * 3000, bytes);  // no Release
  EXPECT_EQ(counters().RefusedTotal(), 0u);
  Close();
  EXPECT_EQ(counters().delivered, 100 * bytes.size());
  EXPECT_EQ(counters().LostTotal(), 1 + 99 * (3000 - bytes.size()));
}

TEST_F(ReassemblerLimits, EarlyBytesThatPassDoNotOvertakeWhatWaits) {
  options_.stream_bytes = 0;
  options_.memory_bytes = 1;
  Start();
  const std::string large(16 * ChunkPool::kBytes, 'x');
  Feed(1, "b");
  Feed(4, "e");
  Feed(3, "d" + large);
  EXPECT_EQ(told_.Take(),
            (Events{"0 hole 0+1 memory", "0 data 1:b", "0 hole 2+1 memory", "0 data 3:d",
                    "0 conflict 4:x old", "0 data 4:e", "0 data 5:" + large.substr(1)}));
}

TEST_F(ReassemblerLimits, MemoryComesBackWhenAStreamEnds) {
  Start();
  for (int i = 0; i < 20; ++i) Feed(1 + i * 3000, std::string(2000, 'x'));
  EXPECT_EQ(counters().memory_bytes, 20 * ChunkPool::kBytes);
  told_.silent = true;
  Close();
  reassembler_->Release();
  EXPECT_EQ(counters().memory_bytes, 0u);
  EXPECT_EQ(counters().buffered, 0u);
}

TEST_F(ReassemblerLimits, BytesOfAnEventLiveUntilRelease) {
  Start();
  Feed(1, "bcd");
  Feed(0, "a");
  const StreamData data = told_.last;
  const uint32_t other = Another(8);
  for (int i = 0; i < 10; ++i) FeedTo(other, 0, 1 + i * 3000, std::string(2000, 'x'));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(data.data), data.size), "bcd");
}

TEST_F(ReassemblerLimits, NoRoomForOneMoreConnection) {
  options_.max_connections = 1;
  Start();
  EXPECT_EQ(reassembler_->Open(8), kNoConnection);
  Close();
  EXPECT_EQ(reassembler_->Open(8), connection_);
}

TEST_F(ReassemblerLimits, NumberThatIsUsedAgainBeginsAnew) {
  Start();
  Feed(0, "ab");
  Feed(4, "ef");
  Close();
  told_.Take();
  EXPECT_EQ(Another(8, 5000), connection_);
  first_ = 5000;
  FeedTo(connection_, 0, 2, "cd");
  FeedTo(connection_, 0, 0, "ab");
  EXPECT_EQ(told_.Take(), (Events{"8/0 data 0:ab", "8/0 data 2:cd"}));
  const StreamTotals totals = reassembler_->totals(connection_, 0);
  EXPECT_EQ(totals.delivered, 4u);
  EXPECT_EQ(totals.lost, 0u);
}

TEST_F(ReassemblerLimits, FarSequenceNumbersAreNotBelieved) {
  Start();
  Feed(0, "ab");
  Feed(int64_t{options_.max_window} + 3, "x");
  Feed(-int64_t{options_.max_window} - 3, "x");
  EXPECT_EQ(Refused(Refused::kOutOfWindow), 2u);
  Feed(2, "cd");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 data 2:cd"}));
}

TEST_F(ReassemblerLimits, StreamThatGoesOnOutOfItsWindowIsFollowed) {
  Start();
  Feed(0, "ab");
  const int64_t far = 1 << 30;
  for (int i = 0; i < 5; ++i) Feed(far + i, "x");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 hole 2+1073741825 window",
                                  "0 data 1073741827:x", "0 data 1073741828:x"}));
  EXPECT_EQ(Refused(Refused::kOutOfWindow), 3u);
}

TEST_F(ReassemblerLimits, BytesBeforeAStreamThatWasJoinedInTheMiddle) {
  Start(1000, true);
  Feed(0, "cd");
  Feed(-2, "abcd");
  EXPECT_EQ(told_.Take(), Events{"0 data 0:cd"});
  EXPECT_EQ(Refused(Refused::kBeforeStart), 2u);
  EXPECT_EQ(counters().retransmitted, 2u);
}

TEST_F(ReassemblerLimits, TruncatedSegmentWhoseCapturedBytesAreBeforeTheStart) {
  Start(1000, true);
  FeedCut(-10, "ab", 14);
  EXPECT_EQ(told_.Take(), Events{"0 hole 0+4 truncated"});
  EXPECT_EQ(Refused(Refused::kBeforeStart), 2u);
}

TEST_F(ReassemblerLimits, NothingIsAllocatedAfterCreate) {
  options_.history_bytes = 4096;
  Start();
  told_.silent = true;
  const std::string bytes(1448, 'x');
  const uint64_t before = Allocations();
  for (int i = 0; i < 3000; ++i) {
    Feed((i ^ 3) * 1448, bytes);
    if (i % 7 == 0) Feed(i * 1448 + 700, bytes);
    if (i % 64 == 0) Pass(1'000'000);
  }
  Close();
  EXPECT_EQ(Allocations(), before);
}

TEST(ReassemblerCreate, TellsItsMemory) {
  StreamOptions options;
  options.max_connections = 1000;
  options.memory_bytes = 8u << 20;
  const uint64_t bytes = Reassembler::MemoryBytes(options);
  EXPECT_GT(bytes, 8u << 20);
  EXPECT_LT(bytes, 12u << 20);
}

}  // namespace
}  // namespace weir::test

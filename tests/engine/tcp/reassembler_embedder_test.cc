// What an embedder may ask of a stream: stop it, limit its depth, keep its tail.
#include "tests/engine/tcp/reassembling.h"

namespace weir::test {
namespace {

using ReassemblerEmbedder = Reassembling;

TEST_F(ReassemblerEmbedder, KeptTailStandsBeforeTheNextBytes) {
  Start();
  Feed(0, "abcd");
  ASSERT_TRUE(reassembler_->Keep(connection_, 0, told_.last, 2));
  reassembler_->Release();
  Feed(4, "ef");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abcd", "0 data 2:cdef kept 2"}));
  Feed(6, "gh");
  EXPECT_EQ(told_.Take(), Events{"0 data 6:gh"});
  EXPECT_EQ(counters().delivered, 8u);
}

TEST_F(ReassemblerEmbedder, KeptTailCanBeKeptAgainAndGrow) {
  Start();
  Feed(0, "abcd");
  ASSERT_TRUE(reassembler_->Keep(connection_, 0, told_.last, 4));
  Feed(4, "e");
  ASSERT_TRUE(reassembler_->Keep(connection_, 0, told_.last, 5));
  Feed(5, "f");
  EXPECT_EQ(told_.Take(),
            (Events{"0 data 0:abcd", "0 data 0:abcde kept 4", "0 data 0:abcdef kept 5"}));
}

TEST_F(ReassemblerEmbedder, KeptTailStandsBeforeWaitingBytesToo) {
  Start();
  Feed(0, "ab");
  ASSERT_TRUE(reassembler_->Keep(connection_, 0, told_.last, 1));
  Feed(4, "ef");
  Feed(2, "cd");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 data 1:bcd kept 1", "0 data 4:ef"}));
}

TEST_F(ReassemblerEmbedder, KeptTailIsDroppedAtAHole) {
  Start();
  Feed(0, "ab");
  ASSERT_TRUE(reassembler_->Keep(connection_, 0, told_.last, 1));
  Feed(4, "ef");
  Close();
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 hole 2+2 end", "0 data 4:ef", "0 end 6 flow",
                                  "1 end 0 flow"}));
  reassembler_->Release();
  EXPECT_EQ(counters().memory_bytes, 0u);
}

TEST_F(ReassemblerEmbedder, OnlyTheLastBytesCanBeKept) {
  Start();
  Feed(0, "ab");
  const StreamData before = told_.last;
  Feed(2, "cd");
  EXPECT_FALSE(reassembler_->Keep(connection_, 0, before, 1));
  EXPECT_FALSE(reassembler_->Keep(connection_, 0, told_.last, 3));
  EXPECT_FALSE(reassembler_->Keep(connection_, 0, told_.last, 0));
}

TEST_F(ReassemblerEmbedder, StoppedStreamRefusesWhatWaitsAndWhatComes) {
  Start();
  Feed(0, "ab");
  Feed(4, "ef");
  reassembler_->Stop(connection_, 0);
  Feed(2, "cd");
  Feed(0, "ab");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 end 2 stopped"}));
  EXPECT_EQ(Refused(Refused::kStopped), 4u);
  EXPECT_EQ(counters().retransmitted, 2u);
  EXPECT_FALSE(told_.waiting);
}

TEST_F(ReassemblerEmbedder, StreamThatIsStoppedBeforeItBegins) {
  reassembler_ = *Reassembler::Create(options_, told_);
  connection_ = reassembler_->Open(7);
  reassembler_->Stop(connection_, 0);
  reassembler_->Begin(connection_, 0, first_, false);
  Feed(0, "abc");
  Close();
  EXPECT_EQ(told_.Take(), Events{"0 end 0 stopped"});
  EXPECT_EQ(Refused(Refused::kStopped), 3u);
}

TEST_F(ReassemblerEmbedder, DepthEndsTheStreamAtTheFirstByteBehindIt) {
  options_.depth = 4;
  Start();
  Feed(0, "abcd");
  EXPECT_EQ(told_.Take(), Events{"0 data 0:abcd"});
  Feed(4, "ef");
  EXPECT_EQ(told_.Take(), Events{"0 end 4 depth"});
  Feed(6, "gh");
  EXPECT_EQ(Refused(Refused::kDepth), 4u);
}

TEST_F(ReassemblerEmbedder, DepthCutsASegment) {
  options_.depth = 4;
  Start();
  Feed(2, "cdef");
  Feed(0, "ab");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 data 2:cd", "0 end 4 depth"}));
  EXPECT_EQ(Refused(Refused::kDepth), 2u);
}

TEST_F(ReassemblerEmbedder, FinAtTheDepthIsAFin) {
  options_.depth = 4;
  Start();
  Feed(0, "abcd", true);
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abcd", "0 end 4 fin"}));
}

TEST_F(ReassemblerEmbedder, DepthThatIsSetLaterCutsWhatWaits) {
  Start();
  Feed(2, "cdef");
  reassembler_->LimitDepth(connection_, 0, 3);
  Feed(0, "ab");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 data 2:c", "0 end 3 depth"}));
  EXPECT_EQ(Refused(Refused::kDepth), 3u);
}

TEST_F(ReassemblerEmbedder, DepthThatHasBeenReachedEndsAtOnce) {
  Start();
  Feed(0, "abcd");
  reassembler_->LimitDepth(connection_, 0, 2);
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abcd", "0 end 4 depth"}));
}

}  // namespace
}  // namespace weir::test

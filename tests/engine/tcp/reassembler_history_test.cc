// Retransmissions are compared with what was delivered, as far back as the history goes.
#include "tests/engine/tcp/reassembling.h"

namespace weir::test {
namespace {

class ReassemblerHistory : public Reassembling {
 protected:
  void Start(uint32_t history_bytes = 4096) {
    options_.history_bytes = history_bytes;
    Reassembling::Start(0u - 3);
  }
};

TEST_F(ReassemblerHistory, OtherBytesForDeliveredOnesAreAConflict) {
  Start();
  Feed(0, "abcdef");
  Feed(1, "bXYe");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abcdef", "0 conflict 2:XY old"}));
  EXPECT_EQ(counters().conflicting, 2u);
  EXPECT_EQ(counters().uncompared, 0u);
}

TEST_F(ReassemblerHistory, EqualBytesAreNot) {
  Start();
  Feed(0, "abcdef");
  Feed(0, "abcdef");
  EXPECT_EQ(told_.Take(), Events{"0 data 0:abcdef"});
}

TEST_F(ReassemblerHistory, HoldsBytesThatWaitedToo) {
  Start();
  Feed(3, "def");
  Feed(0, "abc");
  told_.Take();
  Feed(2, "cdX");
  EXPECT_EQ(told_.Take(), Events{"0 conflict 4:X old"});
}

TEST_F(ReassemblerHistory, GoesBackAsFarAsWasAskedFor) {
  Start(4);
  Feed(0, "abcdefgh");
  told_.Take();
  Feed(0, "XXXXXfg");
  EXPECT_EQ(told_.Take(), Events{"0 conflict 4:X old"});
  EXPECT_EQ(counters().uncompared, 4u);
}

TEST_F(ReassemblerHistory, SpansManyChunks) {
  Start(10'000);
  const std::string bytes(9000, 'a');
  Feed(0, bytes);
  told_.Take();
  Feed(0, bytes.substr(1) + "X");
  EXPECT_EQ(told_.Take(), Events{"0 conflict 8999:X old"});
}

TEST_F(ReassemblerHistory, KeepAliveIsNoConflict) {
  Start();
  Feed(0, "abc");
  Feed(2, "X");
  EXPECT_EQ(told_.Take(), Events{"0 data 0:abc"});
}

TEST_F(ReassemblerHistory, BytesForAHoleAreLate) {
  Start();
  Feed(0, "ab");
  Feed(4, "ef");
  Acknowledge(6);
  Pass(kSecond);
  told_.Take();
  Feed(1, "bcdX");
  EXPECT_EQ(told_.Take(), Events{"0 conflict 4:X old"});
  EXPECT_EQ(Refused(Refused::kLate), 2u);
}

TEST_F(ReassemblerHistory, YieldsToBytesThatWait) {
  options_.memory_bytes = 1;  // the least
  Start(1u << 20);
  told_.silent = true;
  Feed(0, std::string(30'000, 'a'));
  EXPECT_LE(counters().delivered, 30'000u);
  Feed(30'001, std::string(4000, 'b'));
  EXPECT_EQ(counters().buffered, 4000u);
}

TEST_F(ReassemblerHistory, OfManyStreamsTheOldestGoes) {
  options_.memory_bytes = 1;
  Start(1u << 20);
  const uint32_t other = Another(8, first_);
  Feed(0, "abc");
  for (int i = 0; i < 20; ++i) FeedTo(other, 0, i * 2048, std::string(2048, 'a'));
  told_.Take();
  Feed(0, "aXc");
  EXPECT_EQ(told_.Take(), Events{});
  EXPECT_EQ(counters().uncompared, 3u);
}

TEST_F(ReassemblerHistory, MemoryComesBack) {
  Start();
  Feed(0, "abc");
  Pass(0);
  EXPECT_EQ(counters().memory_bytes, ChunkPool::kBytes);
  Close();
  Pass(0);
  EXPECT_EQ(counters().memory_bytes, 0u);
}

}  // namespace
}  // namespace weir::test

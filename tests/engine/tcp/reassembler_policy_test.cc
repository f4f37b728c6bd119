// Whose bytes stay: each policy's rules for waiting bytes, and that bytes in order follow the same
// ones until they are acknowledged.
#include "engine/tcp/overlap_rules.h"
#include "tests/engine/tcp/reassembling.h"

namespace weir::test {
namespace {

using Policy = OverlapPolicy;

// Novak and Sturges, Suricata: start before, same, after; for each the end before, same, after.
// 'n': the new bytes stay.
struct Rules {
  Policy policy;
  const char* cells;
};

class OverlapRules : public ::testing::TestWithParam<Rules> {};

INSTANTIATE_TEST_SUITE_P(
    Policy, OverlapRules,
    ::testing::Values(Rules{Policy::kFirst, "ooo ooo ooo"}, Rules{Policy::kLast, "nnn nnn nnn"},
                      Rules{Policy::kBsd, "nnn ooo ooo"}, Rules{Policy::kBsdRight, "nnn ooo ooo"},
                      Rules{Policy::kOldLinux, "nnn onn ooo"}, Rules{Policy::kLinux, "nnn oon ooo"},
                      Rules{Policy::kOldSolaris, "onn onn oon"},
                      Rules{Policy::kSolaris, "onn onn oon"}, Rules{Policy::kHpux10, "nnn ooo ooo"},
                      Rules{Policy::kHpux11, "onn onn oon"}, Rules{Policy::kIrix, "nnn ooo ooo"},
                      Rules{Policy::kMacos, "nnn ooo ooo"}, Rules{Policy::kWindows, "nnn ooo ooo"},
                      Rules{Policy::kVista, "ooo ooo ooo"},
                      Rules{Policy::kWindows2k3, "nnn ooo ooo"}),
    [](const auto& rules) {
      std::string name(Name(rules.param.policy));
      std::erase(name, '-');
      return name;
    });

TEST_P(OverlapRules, OneCellForEachRelation) {
  const std::string cells = GetParam().cells;
  for (int start = 0; start < 3; ++start) {
    for (int end = 0; end < 3; ++end) {
      EXPECT_EQ(
          NewWins(GetParam().policy, static_cast<Relation>(start), static_cast<Relation>(end)),
          cells[start * 4 + end] == 'n')
          << start << " " << end;
    }
  }
}

class ReassemblerPolicy : public Reassembling {
 protected:
  void Start(Policy policy) {
    options_.overlap = policy;
    Reassembling::Start();
  }
  // All bytes of side 0, after the end.
  std::string Bytes() {
    Close();
    std::string bytes;
    for (const std::string& event : told_.Take()) {
      if (event.starts_with("0 data")) bytes += event.substr(event.find(':') + 1);
      if (event.starts_with("0 hole")) bytes += "_";
    }
    return bytes;
  }
};

TEST_F(ReassemblerPolicy, FirstKeepsOldBytes) {
  Start(Policy::kFirst);
  Feed(4, "AAAA");
  Feed(2, "bbbbbbbb");
  EXPECT_EQ(Bytes(), "_bbAAAAbb");
}

TEST_F(ReassemblerPolicy, LastTakesNewBytes) {
  Start(Policy::kLast);
  Feed(4, "AAAA");
  Feed(5, "bb");
  EXPECT_EQ(told_.Take(), Events{"0 conflict 5:AA new"});
  EXPECT_EQ(Bytes(), "_AbbA");
}

TEST_F(ReassemblerPolicy, LastTakesNewBytesOfManyPieces) {
  Start(Policy::kLast);
  Feed(4, "AA");
  Feed(8, "BB");
  Feed(12, "CC");
  Feed(5, "dddddddd");
  EXPECT_EQ(Bytes(), "_AddddddddC");
}

TEST_F(ReassemblerPolicy, BsdTakesWhatStartsBefore) {
  Start(Policy::kBsd);
  Feed(4, "AAAA");
  Feed(3, "bb");
  Feed(7, "cc");
  EXPECT_EQ(Bytes(), "_bbAAAc");
}

TEST_F(ReassemblerPolicy, LinuxTakesWhatStartsThereAndEndsBehind) {
  Start(Policy::kLinux);
  Feed(4, "AAAA");
  Feed(4, "bbbb");
  Feed(4, "cccccc");
  EXPECT_EQ(Bytes(), "_cccccc");
}

TEST_F(ReassemblerPolicy, LinuxKeepsWhatHasTheSamePlace) {
  Start(Policy::kLinux);
  Feed(4, "AAAA");
  Feed(4, "bbbb");
  EXPECT_EQ(Bytes(), "_AAAA");
}

TEST_F(ReassemblerPolicy, OldLinuxTakesWhatHasTheSamePlace) {
  Start(Policy::kOldLinux);
  Feed(4, "AAAA");
  Feed(4, "bbbb");
  EXPECT_EQ(Bytes(), "_bbbb");
}

TEST_F(ReassemblerPolicy, SolarisTakesWhatCoversOrReachesBehind) {
  Start(Policy::kSolaris);
  Feed(4, "AAAA");
  Feed(3, "bb");
  EXPECT_EQ(counters().retransmitted, 1u);
  Feed(6, "cccc");
  EXPECT_EQ(Bytes(), "_bAAcccc");
}

TEST_F(ReassemblerPolicy, LargeSegmentIsJudgedAsAWhole) {
  Start(Policy::kBsd);
  const std::string large(5000, 'A');
  Feed(4, large);
  Feed(2000, std::string(200, 'b'));  // starts before the second chunk, not before the segment
  EXPECT_EQ(Bytes(), "_" + large);
}

TEST_F(ReassemblerPolicy, PartOfACutPieceIsJudgedByItself) {
  Start(Policy::kBsd);
  Feed(4, "AAAA");
  Feed(2, "bbbb");  // leaves AA at 6
  Feed(5, "ccc");   // starts before that
  EXPECT_EQ(Bytes(), "_bbbbcc");
}

TEST_F(ReassemblerPolicy, BytesInOrderAreHeldUntilTheyAreAcknowledged) {
  Start(Policy::kLast);
  Feed(0, "abcd");
  EXPECT_EQ(told_.Take(), Events{});
  EXPECT_TRUE(told_.waiting);
  Feed(1, "XX");
  EXPECT_EQ(told_.Take(), Events{"0 conflict 1:bc new"});
  Acknowledge(3);
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:a", "0 data 1:XX"}));
  Feed(1, "YYY");  // what was acknowledged is settled
  EXPECT_EQ(told_.Take(), Events{"0 conflict 3:d new"});
  EXPECT_EQ(counters().out_of_order, 0u);
  Acknowledge(4);
  EXPECT_EQ(told_.Take(), Events{"0 data 3:Y"});
  EXPECT_FALSE(told_.waiting);
}

TEST_F(ReassemblerPolicy, BytesThatWereAcknowledgedBeforeTheyCamePass) {
  Start(Policy::kLast);
  Feed(2, "cd");
  Acknowledge(4);
  Feed(0, "ab");
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:ab", "0 data 2:cd"}));
}

TEST_F(ReassemblerPolicy, HeldBytesEndWithTheFin) {
  Start(Policy::kLast);
  Feed(0, "abcd", true);
  EXPECT_EQ(told_.Take(), Events{});
  Acknowledge(5);
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abcd", "0 end 4 fin"}));
}

TEST_F(ReassemblerPolicy, HeldBytesGoWhenTheyAreTooOld) {
  Start(Policy::kLast);
  Feed(0, "abcd");
  Pass(options_.hole_timeout_ns);
  EXPECT_EQ(told_.Take(), Events{"0 data 0:abcd"});
}

TEST_F(ReassemblerPolicy, HeldBytesGoWhenTheyAreTooMany) {
  options_.stream_bytes = 2 * ChunkPool::kBytes;
  Start(Policy::kLast);
  for (int i = 0; i < 3; ++i) Feed(i * 2048, std::string(2048, 'x'));
  EXPECT_EQ(counters().delivered, 3 * 2048u);
  EXPECT_EQ(counters().LostTotal(), 0u);
}

TEST_F(ReassemblerPolicy, HeldBytesAreDeliveredAtTheEnd) {
  Start(Policy::kLast);
  Feed(0, "abcd");
  Close();
  EXPECT_EQ(told_.Take(), (Events{"0 data 0:abcd", "0 end 4 flow", "1 end 0 flow"}));
}

}  // namespace
}  // namespace weir::test

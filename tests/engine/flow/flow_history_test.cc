#include "engine/flow/flow_history.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace weir::test {
namespace {

class FlowHistoryTest : public testing::Test {
 protected:
  std::string Spelled() const {
    std::array<char, 24> text{};
    History::Spell(nibbles_.data(), text);
    return text.data();
  }

  std::array<uint8_t, 9> nibbles_{};
  History history_{nibbles_.data()};
};

TEST_F(FlowHistoryTest, LettersStandInTheirOrder) {
  history_.Push(HistoryLetter::kSyn, false);
  history_.Push(HistoryLetter::kSynAck, true);
  history_.Push(HistoryLetter::kAck, false);
  history_.Push(HistoryLetter::kRst, true);
  EXPECT_EQ(Spelled(), "ShAr");
}

TEST_F(FlowHistoryTest, EighteenHaveRoomAndMoreAreDropped) {
  std::string expected;
  for (int i = 0; i < kHistoryLetters; ++i) {
    history_.Push(i % 3 == 0 ? HistoryLetter::kData : HistoryLetter::kFin, i % 2 != 0);
    expected += i % 3 == 0 ? (i % 2 != 0 ? 'd' : 'D') : (i % 2 != 0 ? 'f' : 'F');
    ASSERT_EQ(Spelled(), expected) << i;
  }
  history_.Push(HistoryLetter::kRst, true);
  EXPECT_EQ(Spelled(), expected);
}

TEST_F(FlowHistoryTest, AFlipTurnsWhatWasAndIsNoted) {
  history_.Push(HistoryLetter::kSynAck, false);
  history_.Push(HistoryLetter::kData, true);
  history_.Flip();
  EXPECT_EQ(Spelled(), "hD^");
}

}  // namespace
}  // namespace weir::test

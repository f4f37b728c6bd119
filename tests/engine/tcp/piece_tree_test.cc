#include "engine/tcp/piece_tree.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace weir {
namespace {

class PieceTreeTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kPieces = 1000;

  PieceTreeTest() { tree_.Init(arena_, kPieces); }

  uint32_t Add(uint64_t offset) {
    const uint32_t piece = tree_.Add(list_, tree_.LastUpTo(list_, offset), offset);
    tree_.At(piece).size = 1;
    return piece;
  }
  std::vector<uint64_t> Offsets() const {
    std::vector<uint64_t> offsets;
    for (uint32_t p = list_.first; p != Piece::kNone; p = tree_.At(p).next) {
      offsets.push_back(tree_.At(p).offset);
    }
    return offsets;
  }
  uint32_t Depth(uint32_t piece) const {
    if (piece == Piece::kNone) return 0;
    return 1 + std::max(Depth(tree_.At(piece).left), Depth(tree_.At(piece).right));
  }

  Arena arena_ = *Arena::Create(PieceTree::MemoryBytes(kPieces));
  PieceTree tree_;
  PieceList list_;
};

TEST_F(PieceTreeTest, IsInOrderWhateverOrderPiecesCome) {
  for (uint64_t offset : {50, 10, 90, 30, 70}) Add(offset);
  EXPECT_EQ(Offsets(), (std::vector<uint64_t>{10, 30, 50, 70, 90}));
}

TEST_F(PieceTreeTest, FindsTheLastPieceUpToAPlace) {
  Add(10);
  const uint32_t middle = Add(20);
  Add(30);
  EXPECT_EQ(tree_.LastUpTo(list_, 9), Piece::kNone);
  EXPECT_EQ(tree_.LastUpTo(list_, 20), middle);
  EXPECT_EQ(tree_.LastUpTo(list_, 29), middle);
  EXPECT_EQ(tree_.LastUpTo(list_, 1000), list_.last);
}

TEST_F(PieceTreeTest, StaysShallowForPiecesInOrder) {
  for (uint64_t offset = 0; offset < kPieces; ++offset) Add(offset);
  EXPECT_LT(Depth(list_.root), 50u);
}

TEST_F(PieceTreeTest, EqualsAMapOverRandomWork) {
  std::mt19937 random(1);
  std::map<uint64_t, uint32_t> model;
  // Grows and shrinks in turns, so that a tree is planted and falls many times.
  size_t most = 40;
  bool grows = true;
  for (int step = 0; step < 40'000; ++step) {
    if (model.empty()) grows = true;
    if (model.size() >= most) {
      grows = false;
      most = random() % 8 == 0 ? 400 : PieceTree::kMostInList / 2 + random() % 20;
    }
    const uint64_t offset = random() % 500;
    const auto found = grows ? model.find(offset) : model.lower_bound(offset);
    if (found != model.end()) {
      tree_.Remove(list_, found->second);
      model.erase(found);
    } else if (grows) {
      model[offset] = Add(offset);
    }
    const uint64_t wanted = random() % 500;
    const auto behind = model.upper_bound(wanted);
    ASSERT_EQ(tree_.LastUpTo(list_, wanted),
              behind == model.begin() ? Piece::kNone : std::prev(behind)->second);
    ASSERT_EQ(list_.size, model.size());
    ASSERT_EQ(tree_.free(), kPieces - model.size());
  }
}

}  // namespace
}  // namespace weir

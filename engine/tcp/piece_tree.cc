#include "engine/tcp/piece_tree.h"

namespace weir {

constexpr uint32_t kNone = Piece::kNone;

void PieceTree::Init(Arena& arena, uint32_t pieces) {
  pieces_ = arena.Take<Piece>(pieces);
  size_ = free_ = pieces;
  for (uint32_t piece = pieces; piece > 0; --piece) {
    pieces_[piece - 1].next = first_free_;
    first_free_ = piece - 1;
  }
}

// xorshift64* (Marsaglia 2003, Vigna 2016): depends on all that came before, so that nobody who
// sends segments can choose the shape of a tree.
uint32_t PieceTree::NextPriority() {
  random_ ^= random_ >> 12;
  random_ ^= random_ << 25;
  random_ ^= random_ >> 27;
  return static_cast<uint32_t>((random_ * 0x2545F4914F6CDD1D) >> 32);
}

uint32_t PieceTree::Add(PieceList& list, uint32_t previous, uint64_t offset) {
  const uint32_t piece = first_free_;
  Piece& fresh = pieces_[piece];
  first_free_ = fresh.next;
  --free_;
  const uint32_t next = previous == kNone ? list.first : pieces_[previous].next;
  fresh.offset = offset;
  fresh.previous = previous;
  fresh.next = next;
  (previous == kNone ? list.first : pieces_[previous].next) = piece;
  (next == kNone ? list.last : pieces_[next].previous) = piece;
  ++list.size;
  if (list.root != kNone) {
    Attach(list, piece, previous, next);
  } else if (list.size > kMostInList) {
    PlantTree(list);
  }
  return piece;
}

void PieceTree::PlantTree(PieceList& list) {
  for (uint32_t piece = list.first; piece != kNone; piece = pieces_[piece].next) {
    Attach(list, piece, pieces_[piece].previous, kNone);
  }
}

// Puts a piece into the tree, where its neighbours are; kNone for one that is not there.
void PieceTree::Attach(PieceList& list, uint32_t piece, uint32_t previous, uint32_t next) {
  Piece& fresh = pieces_[piece];
  fresh.priority = NextPriority();
  fresh.left = fresh.right = kNone;
  // Of two neighbours one is below the other: there is room below the right one, or the left one.
  if (next != kNone && pieces_[next].left == kNone) {
    fresh.parent = next;
    pieces_[next].left = piece;
  } else {
    fresh.parent = previous;
    (previous == kNone ? list.root : pieces_[previous].right) = piece;
  }
  while (fresh.parent != kNone && pieces_[fresh.parent].priority < fresh.priority) {
    RotateUp(list, piece);
  }
}

void PieceTree::Detach(PieceList& list, uint32_t piece) {
  const Piece& gone = pieces_[piece];
  while (gone.left != kNone && gone.right != kNone) {
    const bool left = pieces_[gone.left].priority > pieces_[gone.right].priority;
    RotateUp(list, left ? gone.left : gone.right);
  }
  const uint32_t child = gone.left != kNone ? gone.left : gone.right;
  ReplaceChild(list, gone.parent, piece, child);
  if (child != kNone) pieces_[child].parent = gone.parent;
}

void PieceTree::Remove(PieceList& list, uint32_t piece) {
  if (list.root != kNone) Detach(list, piece);
  Piece& gone = pieces_[piece];
  (gone.previous == kNone ? list.first : pieces_[gone.previous].next) = gone.next;
  (gone.next == kNone ? list.last : pieces_[gone.next].previous) = gone.previous;
  --list.size;
  gone.next = first_free_;
  first_free_ = piece;
  ++free_;
}

uint32_t PieceTree::LastUpTo(const PieceList& list, uint64_t offset) const {
  if (list.empty() || pieces_[list.first].offset > offset) return kNone;
  uint32_t found = list.last;
  if (pieces_[found].offset <= offset) return found;
  if (list.root == kNone) {
    while (pieces_[found].offset > offset) found = pieces_[found].previous;
    return found;
  }
  found = list.first;
  for (uint32_t piece = list.root; piece != kNone;) {
    if (pieces_[piece].offset <= offset) {
      found = piece;
      piece = pieces_[piece].right;
    } else {
      piece = pieces_[piece].left;
    }
  }
  return found;
}

void PieceTree::ReplaceChild(PieceList& list, uint32_t parent, uint32_t child, uint32_t with) {
  if (parent == kNone) {
    list.root = with;
  } else if (pieces_[parent].left == child) {
    pieces_[parent].left = with;
  } else {
    pieces_[parent].right = with;
  }
}

void PieceTree::RotateUp(PieceList& list, uint32_t piece) {
  Piece& up = pieces_[piece];
  const uint32_t above = up.parent;
  Piece& down = pieces_[above];
  ReplaceChild(list, down.parent, above, piece);
  up.parent = down.parent;
  down.parent = piece;
  const bool was_left = down.left == piece;
  uint32_t& inner = was_left ? up.right : up.left;
  (was_left ? down.left : down.right) = inner;
  if (inner != kNone) pieces_[inner].parent = above;
  inner = above;
}

}  // namespace weir

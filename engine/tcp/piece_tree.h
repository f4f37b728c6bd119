// The pieces of a stream that wait, ordered by their place: a list, and once it is longer than a
// few a treap (Seidel and Aragon, 1996) over it. Pieces never overlap, so the first and the last
// one, where nearly everything happens, are found at once, and any other in O(log n) whatever order
// they came in.
//
// A piece lies in one chunk. What came as one segment may need several: all but the first are
// marked `continues`, and overlap rules look at such a run as a whole.
//
// Thread: one. Memory: the arena's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/packet/arena.h"
#include "rings/prefetch.h"

namespace weir {

struct alignas(64) Piece {
  static constexpr uint32_t kNone = UINT32_MAX;

  uint64_t offset;  // in the stream
  int64_t time_ns;  // of the segment that brought it
  uint32_t chunk;   // where its bytes are,
  uint16_t start;   // from here on
  uint16_t size;
  bool continues;  // the same segment brought the piece before
  uint32_t priority;
  uint32_t previous;
  uint32_t next;
  uint32_t left;
  uint32_t right;
  uint32_t parent;

  uint64_t end() const { return offset + size; }
};

struct PieceList {
  uint32_t root = Piece::kNone;  // none: there is no tree over it
  uint32_t first = Piece::kNone;
  uint32_t last = Piece::kNone;
  uint32_t size = 0;

  bool empty() const { return first == Piece::kNone; }
};

class PieceTree {
 public:
  void Init(Arena& arena, uint32_t pieces);
  static constexpr size_t MemoryBytes(uint32_t pieces) { return Arena::Bytes<Piece>(pieces); }
  static constexpr uint32_t kMostInList = 16;  // without a tree

  // A new piece behind `previous` (kNone: the first), which must be its place; one must be free.
  // The caller fills in the rest of it.
  uint32_t Add(PieceList& list, uint32_t previous, uint64_t offset);
  void Remove(PieceList& list, uint32_t piece);

  // The last piece that starts at or before `offset`; kNone when all start behind it.
  uint32_t LastUpTo(const PieceList& list, uint64_t offset) const;

  Piece& At(uint32_t piece) { return pieces_[piece]; }
  const Piece& At(uint32_t piece) const { return pieces_[piece]; }
  void PrefetchNext() const {
    if (first_free_ != Piece::kNone) PrefetchToWrite(&pieces_[first_free_]);
  }
  uint32_t size() const { return size_; }
  uint32_t free() const { return free_; }

 private:
  uint32_t NextPriority();
  void PlantTree(PieceList& list);
  void Attach(PieceList& list, uint32_t piece, uint32_t previous, uint32_t next);
  void Detach(PieceList& list, uint32_t piece);
  void ReplaceChild(PieceList& list, uint32_t parent, uint32_t child, uint32_t with);
  void RotateUp(PieceList& list, uint32_t piece);

  Piece* pieces_ = nullptr;
  uint32_t size_ = 0;
  uint32_t free_ = 0;
  uint32_t first_free_ = Piece::kNone;
  uint64_t random_ = 0x9E3779B97F4A7C15;
};

}  // namespace weir

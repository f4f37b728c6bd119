// What waits: bytes put in their place among those that are there already, by the overlap policy.
#include <algorithm>
#include <cstring>

#include "engine/tcp/overlap_rules.h"
#include "engine/tcp/reassembler.h"
#include "rings/prefetch.h"

namespace weir {
namespace {

// A memcpy of at most a chunk becomes "rep movsq" in GCC 12, which waits for each line that is not
// in the cache; here misses overlap.
void CopyBytes(uint8_t* to, const uint8_t* from, size_t size) {
  constexpr size_t kBlock = 64;
  for (; size >= kBlock; size -= kBlock, to += kBlock, from += kBlock) {
    std::memcpy(to, from, kBlock);
  }
  for (; size > 0; --size) *to++ = *from++;
}

}  // namespace

void Reassembler::PrefetchWait(const StreamLine& line, const uint8_t* payload,
                               uint32_t length) const {
  constexpr uint32_t kLine = 64;
  const uint32_t size = std::min(length, ChunkPool::kBytes);
  chunks_.PrefetchNext(size);
  for (uint32_t at = 0; at < size; at += kLine) PrefetchToRead(payload + at);
  queues_.Prefetch(line.queued() ? line.queue : StreamQueue::kNone);
  pieces_.PrefetchNext();
}

bool Reassembler::EnsureQueue(StreamLine& line) {
  if (line.queued()) return true;
  line.queue = queues_.Take(IndexOf(line));
  if (line.queue == StreamQueue::kNone) return false;
  line.flags |= StreamLine::kQueued;
  return true;
}

void Reassembler::ReturnQueue(StreamLine& line) {
  queues_.Return(line.queue);
  line.flags &= static_cast<uint16_t>(~StreamLine::kQueued);
}

// Bytes that must wait: they are early, or the policy may still prefer others. When there is no
// room for them what is before them is given up, so that they need none. `end`: sent up to there.
void Reassembler::Enqueue(StreamLine& line, const Bytes& bytes, uint64_t end) {
  bool room = EnsureQueue(line) && HasRoom(QueueOf(line), bytes.size);
  while (!room && GiveUpOldestHistory(line.queued() ? line.queue : StreamQueue::kNone)) {
    room = EnsureQueue(line) && HasRoom(QueueOf(line), bytes.size);
  }
  const uint64_t run_end = line.queued() ? QueueOf(line).run_end : 0;
  if (bytes.offset > std::max(line.offset, run_end)) {
    ++line.out_of_order;
    ++counters_.out_of_order;
  }
  if (!room) {
    GiveUpBefore(line, bytes.offset, HoleReason::kMemory, bytes.time_ns);
    if (!line.ended()) TakeInOrder(line, bytes, end);
    return;
  }
  StreamQueue& queue = QueueOf(line);
  Insert(line, queue, bytes);
  if (holds_) {
    ExtendRun(line, queue);
    if (!Drain(line, queue.acknowledged)) return;
  }
  KeepWithinLimits(line, bytes.time_ns);
}

// Enough for any way in which the queue's pieces may divide the new bytes. Two chunks that follow
// upon each other hold more than one chunk's bytes.
bool Reassembler::HasRoom(const StreamQueue& queue, uint32_t size) const {
  const uint32_t full = size / ChunkPool::kBytes + 1;
  return chunks_.free() >= full * 2 + 1 &&
         pieces_.free() >= std::min(queue.pieces.size, size) + full + 1;
}

void Reassembler::Insert(StreamLine& line, StreamQueue& queue, const Bytes& bytes) {
  PieceList& list = queue.pieces;
  uint32_t piece = pieces_.LastUpTo(list, bytes.offset);
  if (piece == Piece::kNone) {
    piece = list.first;
  } else if (pieces_.At(piece).end() <= bytes.offset) {
    piece = pieces_.At(piece).next;
  }
  uint64_t done = bytes.offset;  // bytes before this are in their place, or lost to older ones
  bool new_wins = false;
  for (bool fresh_run = true; piece != Piece::kNone && pieces_.At(piece).offset < bytes.end();
       fresh_run = piece != Piece::kNone && !pieces_.At(piece).continues) {
    if (fresh_run) new_wins = NewWinsOver(queue, piece, bytes);
    const Piece& old = pieces_.At(piece);
    const Bytes both =
        bytes.Part(std::max(bytes.offset, old.offset), std::min(bytes.end(), old.end()));
    Compare(line, old, both, new_wins);
    CountRetransmitted(line, both.size);
    if (new_wins) {
      piece = CutOut(queue, piece, both.offset, both.end());
      continue;
    }
    if (done < old.offset) AddPieces(queue, old.previous, bytes.Part(done, old.offset));
    done = both.end();
    piece = old.next;
  }
  if (done < bytes.end()) {
    const uint32_t previous = piece == Piece::kNone ? list.last : pieces_.At(piece).previous;
    AddPieces(queue, previous, bytes.Part(done, bytes.end()));
  }
  queues_.Classify(line.queue);
}

// Judges the run that `piece` is part of.
bool Reassembler::NewWinsOver(const StreamQueue&, uint32_t piece, const Bytes& bytes) const {
  if (joins_) return holds_;
  uint32_t first = piece;
  while (pieces_.At(first).continues) first = pieces_.At(first).previous;
  uint32_t last = piece;
  for (uint32_t next = pieces_.At(last).next; next != Piece::kNone && pieces_.At(next).continues;
       next = pieces_.At(next).next) {
    last = next;
  }
  return NewWins(options_.overlap, Relate(bytes.offset, pieces_.At(first).offset),
                 Relate(bytes.end(), pieces_.At(last).end()));
}

// Takes [begin, end) out of a piece; what is left on both sides stays. Gives the piece behind.
uint32_t Reassembler::CutOut(StreamQueue& queue, uint32_t piece, uint64_t begin, uint64_t end) {
  Piece& old = pieces_.At(piece);
  const uint32_t next = old.next;
  const uint64_t old_end = old.end();
  Shrink(queue, end - begin);
  if (begin > old.offset) {
    old.size = static_cast<uint16_t>(begin - old.offset);
    if (end == old_end) return next;
    Piece tail = old;
    tail.start = static_cast<uint16_t>(old.start + (end - old.offset));
    tail.offset = end;
    tail.size = static_cast<uint16_t>(old_end - end);
    tail.continues = false;
    AddPiece(queue, piece, tail);
    return pieces_.At(piece).next;
  }
  if (end == old_end) {
    RemovePiece(queue, piece);
    return next;
  }
  old.start = static_cast<uint16_t>(old.start + (end - old.offset));
  old.size = static_cast<uint16_t>(old_end - end);
  old.offset = end;
  old.continues = false;
  return piece;
}

// Copies bytes that overlap nothing behind `previous`.
void Reassembler::AddPieces(StreamQueue& queue, uint32_t previous, Bytes bytes) {
  queue.buffered += bytes.size;
  counters_.buffered += bytes.size;
  for (bool continues = false; bytes.size > 0; continues = true) {
    const uint32_t size = std::min(bytes.size, ChunkPool::kBytes);
    if (queue.fill_chunk == ChunkPool::kNone || size > ChunkPool::kBytes - queue.fill_used) {
      queue.fill_chunk = chunks_.Take();
      queue.fill_used = 0;
      ++queue.chunks;
    }
    CopyBytes(chunks_.At(queue.fill_chunk) + queue.fill_used, bytes.data, size);
    Piece* before = previous == Piece::kNone ? nullptr : &pieces_.At(previous);
    if (joins_ && before != nullptr && before->chunk == queue.fill_chunk &&
        before->start + before->size == queue.fill_used && before->end() == bytes.offset) {
      before->size = static_cast<uint16_t>(before->size + size);
    } else {
      Piece piece;
      piece.offset = bytes.offset;
      piece.time_ns = bytes.time_ns;
      piece.chunk = queue.fill_chunk;
      piece.start = static_cast<uint16_t>(queue.fill_used);
      piece.size = static_cast<uint16_t>(size);
      piece.continues = continues;
      AddPiece(queue, previous, piece);
      previous = previous == Piece::kNone ? queue.pieces.first : pieces_.At(previous).next;
    }
    queue.fill_used += size;
    bytes.offset += size;
    bytes.data += size;
    bytes.size -= size;
  }
  const uint32_t next = pieces_.At(previous).next;
  if (next != Piece::kNone) pieces_.At(next).continues = false;
}

void Reassembler::AddPiece(StreamQueue& queue, uint32_t previous, const Piece& piece) {
  Piece& added = pieces_.At(pieces_.Add(queue.pieces, previous, piece.offset));
  added.time_ns = piece.time_ns;
  added.chunk = piece.chunk;
  added.start = piece.start;
  added.size = piece.size;
  added.continues = piece.continues;
  chunks_.AddUser(piece.chunk);
}

void Reassembler::RemovePiece(StreamQueue& queue, uint32_t piece) {
  const uint32_t chunk = pieces_.At(piece).chunk;
  if (chunks_.DropUser(chunk)) {
    --queue.chunks;
    if (queue.fill_chunk == chunk) queue.fill_chunk = ChunkPool::kNone;
  }
  pieces_.Remove(queue.pieces, piece);
}

void Reassembler::Shrink(StreamQueue& queue, uint64_t bytes) {
  queue.buffered -= bytes;
  counters_.buffered -= bytes;
}

void Reassembler::ExtendRun(const StreamLine& line, StreamQueue& queue) {
  queue.run_end = std::max(queue.run_end, line.offset);
  for (uint32_t piece = pieces_.LastUpTo(queue.pieces, queue.run_end);
       piece != Piece::kNone && pieces_.At(piece).offset <= queue.run_end;
       piece = pieces_.At(piece).next) {
    queue.run_end = std::max(queue.run_end, pieces_.At(piece).end());
  }
}

// `bytes` are the new ones for a part of `piece`.
void Reassembler::Compare(StreamLine& line, const Piece& piece, const Bytes& bytes, bool new_wins) {
  const uint8_t* old = chunks_.At(piece.chunk) + piece.start + (bytes.offset - piece.offset);
  if (std::memcmp(old, bytes.data, bytes.size) == 0) return;
  if (new_wins) {
    ReportConflict(line, {bytes.offset, old, bytes.size, bytes.time_ns}, bytes.data, true);
  } else {
    ReportConflict(line, bytes, old, false);
  }
}

// `lost` and `kept` are for the same place, and differ.
void Reassembler::ReportConflict(StreamLine& line, const Bytes& lost, const uint8_t* kept,
                                 bool new_wins) {
  uint32_t first = 0;
  while (lost.data[first] == kept[first]) ++first;
  uint32_t end = lost.size;
  while (lost.data[end - 1] == kept[end - 1]) --end;
  for (uint32_t i = first; i < end; ++i) counters_.conflicting += lost.data[i] != kept[i] ? 1 : 0;
  ++line.conflicts;
  ++counters_.conflicts;
  sink_.OnConflict(line.owner, SideOf(line),
                   {lost.offset + first, end - first, new_wins, lost.data + first, lost.time_ns});
}

}  // namespace weir

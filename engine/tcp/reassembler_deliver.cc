// What the sink is told: bytes, holes, ends.
#include <algorithm>
#include <cstring>

#include "engine/tcp/reassembler.h"

namespace weir {

// The next bytes of a stream; they live until Release.
void Reassembler::Deliver(StreamLine& line, const Bytes& fresh) {
  line.offset += fresh.size;
  line.next += fresh.size;
  counters_.delivered += fresh.size;
  StreamData data;
  const bool joined = line.queued() && QueueOf(line).kept_size > 0;
  const Bytes bytes = joined ? Join(QueueOf(line), fresh, &data.kept) : fresh;
  data.offset = bytes.offset;
  data.data = bytes.data;
  data.size = bytes.size;
  data.time_ns = bytes.time_ns;
  if (options_.history_bytes > 0) Remember(line, fresh);
  sink_.OnData(line.owner, SideOf(line), data);
}

// The kept tail and the bytes that follow upon it in one place; these alone when there is no room.
Reassembler::Bytes Reassembler::Join(StreamQueue& queue, const Bytes& bytes, uint32_t* kept) {
  const uint32_t tail = queue.kept_size;
  uint8_t* joined = scratch_ + scratch_used_;
  const bool room = scratch_size_ - scratch_used_ >= uint64_t{tail} + bytes.size;
  if (room) {
    std::memcpy(joined, chunks_.At(queue.kept_chunk), tail);
    std::memcpy(joined + tail, bytes.data, bytes.size);
    scratch_used_ += tail + bytes.size;
    *kept = tail;
  }
  DropKept(queue);
  if (!room) return bytes;
  return {bytes.offset - tail, joined, tail + bytes.size, bytes.time_ns};
}

bool Reassembler::Keep(uint32_t connection, int side, const StreamData& data, uint32_t size) {
  StreamLine& line = LineOf(connection, side);
  if (size == 0 || size > kMostKept || size > data.size || line.ended() ||
      data.offset + data.size != line.offset || chunks_.free() <= reserve_chunks_ ||
      !EnsureQueue(line)) {
    return false;
  }
  StreamQueue& queue = QueueOf(line);
  if (queue.kept_size == 0) queue.kept_chunk = chunks_.Take();
  queue.kept_size = size;
  std::memcpy(chunks_.At(queue.kept_chunk), data.data + (data.size - size), size);
  return true;
}

void Reassembler::DropKept(StreamQueue& queue) {
  if (queue.kept_size == 0) return;
  chunks_.Return(queue.kept_chunk);
  queue.kept_chunk = ChunkPool::kNone;
  queue.kept_size = 0;
}

// The last history_bytes of them are enough.
void Reassembler::Remember(StreamLine& line, const Bytes& bytes) {
  while (!EnsureQueue(line)) {
    if (!GiveUpOldestHistory(StreamQueue::kNone)) return;
  }
  const uint32_t size = std::min(bytes.size, options_.history_bytes);
  Bytes rest = bytes.Part(bytes.end() - size, bytes.end());
  history_.ForgetBefore(line.queue,
                        line.offset - std::min<uint64_t>(line.offset, options_.history_bytes));
  while (rest.size > 0) {
    while (history_.Room(line.queue, rest.offset) == 0 && chunks_.free() <= reserve_chunks_) {
      if (!GiveUpOldestHistory(line.queue)) return;
    }
    const uint32_t taken = history_.Append(line.queue, rest.offset, rest.data, rest.size);
    rest = rest.Part(rest.offset + taken, rest.end());
  }
}

// The first piece's first `size` bytes: they are the stream's next.
void Reassembler::DeliverFirst(StreamLine& line, uint32_t size) {
  StreamQueue& queue = QueueOf(line);
  const uint32_t first = queue.pieces.first;
  Piece& piece = pieces_.At(first);
  const Bytes bytes{piece.offset, chunks_.At(piece.chunk) + piece.start, size, piece.time_ns};
  Shrink(queue, size);
  if (size < piece.size) {
    piece.offset += size;
    piece.start = static_cast<uint16_t>(piece.start + size);
    piece.size = static_cast<uint16_t>(piece.size - size);
    piece.continues = false;
  } else {
    RemovePiece(queue, first);
    if (!queue.pieces.empty()) pieces_.At(queue.pieces.first).continues = false;
  }
  Deliver(line, bytes);
}

// Delivers what is in order, up to `up_to`, and ends the stream where it ends. False: it did.
bool Reassembler::Drain(StreamLine& line, uint64_t up_to) {
  if (!line.queued()) return !line.ended();
  StreamQueue& queue = QueueOf(line);
  while (line.offset < queue.end) {
    if (queue.pieces.empty() || line.offset >= up_to) return true;
    const Piece& piece = pieces_.At(queue.pieces.first);
    if (piece.offset > line.offset) return true;
    const uint64_t stop = std::min({piece.end(), up_to, queue.end});
    DeliverFirst(line, static_cast<uint32_t>(stop - line.offset));
  }
  End(line, queue.end_reason, now_ns_);
  return false;
}

void Reassembler::GiveUpHole(StreamLine& line, uint64_t up_to, HoleReason reason, int64_t time_ns) {
  const uint64_t begin = line.offset;
  const uint64_t size = up_to - begin;
  if (line.queued()) DropKept(QueueOf(line));
  lost_ranges_.Add(IndexOf(line), line.last_hole, begin, up_to);
  line.offset = up_to;
  line.next += static_cast<uint32_t>(size);
  line.lost += size;
  counters_.lost[static_cast<size_t>(reason)] += size;
  ++counters_.holes[static_cast<size_t>(reason)];
  sink_.OnHole(line.owner, SideOf(line), {begin, size, time_ns, reason});
}

// What still waits is refused.
void Reassembler::End(StreamLine& line, StreamEnd reason, int64_t time_ns) {
  line.flags |= StreamLine::kEnded;
  Refused refused = Refused::kAfterEnd;
  if (reason == StreamEnd::kDepth) {
    line.flags |= StreamLine::kEndedByDepth;
    refused = Refused::kDepth;
  } else if (reason == StreamEnd::kStopped) {
    line.flags |= StreamLine::kEndedByStop;
    refused = Refused::kStopped;
  }
  if (line.queued()) {
    StreamQueue& queue = QueueOf(line);
    Refuse(refused, queue.buffered);
    Shrink(queue, queue.buffered);
    DropKept(queue);
    history_.Forget(line.queue);
    while (!queue.pieces.empty()) RemovePiece(queue, queue.pieces.last);
    ReturnQueue(line);
  }
  SetWaiting(line, false);
  sink_.OnEnd(line.owner, SideOf(line), reason, line.offset, time_ns);
}

void Reassembler::SetWaiting(StreamLine& line, bool waiting) {
  if (((line.flags & StreamLine::kWaiting) != 0) == waiting) return;
  line.flags ^= StreamLine::kWaiting;
  sink_.OnWaiting(line.owner, SideOf(line), waiting);
}

}  // namespace weir

#include "engine/tcp/reassembler.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/memory/memory.h"
#include "engine/tcp/overlap_rules.h"
#include "engine/tcp/tcp_state.h"

namespace weir {
namespace {

constexpr uint32_t kFewestChunks = 16;
constexpr uint32_t kPiecesPerChunk = 2;
// For the joined bytes of a batch; the most is enough for 64 segments of 64 KiB.
constexpr uint64_t kLeastScratch = 256u << 10;
constexpr uint64_t kMostScratch = 64 * ((64u << 10) + Reassembler::kMostKept);
// Segments that follow upon each other out of the window, until the stream goes on there.
constexpr uint16_t kStraysToBelieve = 4;

}  // namespace

// How many of each follow from the options.
struct Reassembler::Sizes {
  explicit Sizes(const StreamOptions& options) {
    const uint64_t each = ChunkPool::MemoryBytes(1) + StreamHistory::MemoryBytes(1) +
                          kPiecesPerChunk * sizeof(Piece) + sizeof(StreamQueue);
    chunks = static_cast<uint32_t>(
        std::clamp<uint64_t>(options.memory_bytes / each, kFewestChunks, UINT32_MAX / 4));
    pieces = chunks * kPiecesPerChunk;
    scratch =
        static_cast<uint32_t>(std::clamp(options.memory_bytes / 8, kLeastScratch, kMostScratch));
    lines = size_t{options.max_connections} * 2;
  }
  uint64_t MemoryBytes() const {
    return Arena::Bytes<StreamLine>(lines) + ChunkPool::MemoryBytes(chunks) +
           PieceTree::MemoryBytes(pieces) + QueuePool::MemoryBytes(chunks) +
           StreamHistory::MemoryBytes(chunks) + LostRanges::MemoryBytes() +
           Arena::Bytes<uint8_t>(scratch);
  }
  uint32_t chunks;
  uint32_t pieces;
  uint32_t scratch;
  size_t lines;
};

uint64_t Reassembler::MemoryBytes(const StreamOptions& options) {
  return Sizes(options).MemoryBytes();
}

absl::StatusOr<std::unique_ptr<Reassembler>> Reassembler::Create(const StreamOptions& options,
                                                                 StreamSink& sink) {
  if (options.max_connections == 0) {
    return absl::InvalidArgumentError("a reassembler needs max_connections of at least 1");
  }
  absl::StatusOr<Arena> arena =
      Arena::Create(MemoryBytes(options), "TCP streams", "lower the memory of streams");
  if (!arena.ok()) return arena.status();
  return absl::WrapUnique(new Reassembler(options, sink, *std::move(arena)));
}

Reassembler::Reassembler(const StreamOptions& options, StreamSink& sink, Arena arena)
    : options_(options),
      sink_(sink),
      holds_(NewCanWin(options.overlap)),
      joins_(options.overlap == OverlapPolicy::kFirst || options.overlap == OverlapPolicy::kLast),
      arena_(std::move(arena)) {
  const Sizes sizes(options);
  lines_ = arena_.Take<StreamLine>(sizes.lines);
  chunks_.Init(arena_, sizes.chunks);
  pieces_.Init(arena_, sizes.pieces);
  queues_.Init(arena_, sizes.chunks);
  history_.Init(arena_, sizes.chunks);
  lost_ranges_.Init(arena_);
  scratch_size_ = sizes.scratch;
  scratch_ = arena_.Take<uint8_t>(scratch_size_);
  // What a batch may need before memory comes back with the next Release.
  reserve_chunks_ = std::clamp(sizes.chunks / 8, 4u, 2048u);
}

Reassembler::~Reassembler() = default;

uint32_t Reassembler::Open(uint32_t owner) {
  uint32_t connection = free_connection_;
  if (connection != kNoConnection) {
    free_connection_ = LineOf(connection, 0).next;
    if (free_connection_ != kNoConnection) {  // the next one's lines
      Prefetch(free_connection_, 0);
      Prefetch(free_connection_, 1);
    }
  } else if (connections_used_ < options_.max_connections) {
    connection = connections_used_++;
  } else {
    return kNoConnection;
  }
  for (int side = 0; side < 2; ++side) {
    StreamLine& line = LineOf(connection, side);
    line = {};
    line.depth = options_.depth == 0 ? UINT64_MAX : options_.depth;
    line.owner = owner;
    line.queue = StreamLine::kNone;
    line.last_hole = LostRanges::kNone;
  }
  return connection;
}

void Reassembler::Begin(uint32_t connection, int side, uint32_t sequence, bool midstream) {
  StreamLine& line = LineOf(connection, side);
  line.next = sequence;
  line.flags |= StreamLine::kBegun;
  if (midstream) line.flags |= StreamLine::kMidstream;
  if (holds_ || options_.history_bytes > 0) line.flags |= StreamLine::kEach;
}

void Reassembler::Segment(uint32_t connection, int side, const StreamSegment& segment) {
  StreamLine& line = LineOf(connection, side);
  now_ns_ = std::max(now_ns_, segment.time_ns);
  counters_.payload += segment.length;
  counters_.segments += segment.length > 0 ? 1 : 0;
  if (line.queued()) GiveUpDue(line, segment.time_ns);
  int64_t distance = SequenceDistance(segment.sequence, line.next);
  if (!Believable(line, distance, segment)) {
    if (line.ended() || !GoOnAt(line, distance, segment)) {
      Refuse(Refused::kOutOfWindow, segment.length);
      return;
    }
    distance = SequenceDistance(segment.sequence, line.next);
  }
  line.flags &= static_cast<uint16_t>(~StreamLine::kStray);
  Place(line, distance, segment);
  Settle(line, segment.time_ns);
  if (line.queued()) GiveUpDue(line, segment.time_ns);
}

bool Reassembler::Believable(StreamLine& line, int64_t distance, const StreamSegment& segment) {
  const int64_t window = options_.max_window;
  if (distance < 0) return distance + segment.wire_length >= -window;
  if (distance <= window) return true;
  if (!line.queued()) return false;
  const uint64_t acknowledged = QueueOf(line).acknowledged;
  return line.offset + static_cast<uint64_t>(distance) <=
         acknowledged + static_cast<uint64_t>(window);
}

// A stream that began at a wrong place, or of which more than a window was lost, would be refused
// for ever: when kStraysToBelieve segments follow upon each other out there, it goes on with the
// last of them. Sequence numbers only move forwards: what lies behind is 2^32 less ahead.
bool Reassembler::GoOnAt(StreamLine& line, int64_t distance, const StreamSegment& segment) {
  if (segment.wire_length == 0) return false;
  const bool follows =
      (line.flags & StreamLine::kStray) != 0 && segment.sequence == line.stray_next;
  line.strays = static_cast<uint16_t>(follows ? line.strays + 1 : 1);
  line.stray_next = segment.sequence + segment.wire_length;
  line.flags |= StreamLine::kStray;
  if (line.strays < kStraysToBelieve) return false;
  const uint64_t there = line.offset + static_cast<uint32_t>(distance);
  GiveUpAll(line, HoleReason::kWindow, segment.time_ns);
  if (line.ended()) return false;
  if (there >= line.depth) {
    NoteEnd(line, line.depth, StreamEnd::kDepth, segment.time_ns);
    GiveUpAll(line, HoleReason::kWindow, segment.time_ns);
    return false;
  }
  if (there > line.offset) GiveUpHole(line, there, HoleReason::kWindow, segment.time_ns);
  return true;
}

// `distance` is that of the first byte from the settled ones' end.
void Reassembler::Place(StreamLine& line, int64_t distance, const StreamSegment& segment) {
  const int64_t start = static_cast<int64_t>(line.offset) + distance;
  const auto repeated =
      static_cast<uint32_t>(std::min<int64_t>(std::max<int64_t>(-distance, 0), segment.length));
  if (repeated > 0) TakeRepeated(line, start, segment, repeated);
  Bytes bytes{line.offset + static_cast<uint64_t>(std::max<int64_t>(distance, 0)),
              segment.payload + repeated, segment.length - repeated, segment.time_ns};
  if (line.ended()) {
    const bool depth = (line.flags & StreamLine::kEndedByDepth) != 0;
    const bool stop = (line.flags & StreamLine::kEndedByStop) != 0;
    Refuse(depth ? Refused::kDepth : (stop ? Refused::kStopped : Refused::kAfterEnd), bytes.size);
    return;
  }
  const int64_t sent_to = start + std::max(segment.wire_length, segment.length);
  if (sent_to < static_cast<int64_t>(line.offset)) return;  // its FIN would be before what we know
  const auto sent_end = static_cast<uint64_t>(sent_to);
  const bool beyond_depth = sent_end > line.depth;
  if (line.queued() && segment.fin && !beyond_depth) {
    NoteEnd(line, sent_end, StreamEnd::kFin, segment.time_ns);
    if (line.ended()) return Refuse(Refused::kAfterEnd, bytes.size);
  }

  uint64_t limit = line.depth;
  Refused behind_limit = Refused::kDepth;
  if (line.queued() && QueueOf(line).end <= limit) {
    limit = QueueOf(line).end;
    if (QueueOf(line).end_reason == StreamEnd::kFin) behind_limit = Refused::kAfterEnd;
  }
  if (bytes.size > 0 && bytes.end() > limit) {
    const uint64_t good = limit > bytes.offset ? limit - bytes.offset : 0;
    Refuse(behind_limit, bytes.size - good);
    bytes.size = static_cast<uint32_t>(good);
  }
  const uint64_t end = std::min(sent_end, limit);
  if (end > line.offset) {
    if (distance > 0 || holds_) {
      if (bytes.size > 0) Enqueue(line, bytes, end);
    } else {
      TakeInOrder(line, bytes, end);
    }
  }
  if (beyond_depth && !line.ended()) {
    NoteEnd(line, line.depth, StreamEnd::kDepth, segment.time_ns);
  }
  if (segment.fin && !line.ended()) {
    NoteEnd(line, sent_end, StreamEnd::kFin, segment.time_ns);
  }
}

// The segment's first `size` bytes: their places are settled.
void Reassembler::TakeRepeated(StreamLine& line, int64_t start, const StreamSegment& segment,
                               uint32_t size) {
  uint32_t before = 0;
  if (start < 0) {
    before = static_cast<uint32_t>(std::min<int64_t>(-start, size));
    const bool midstream = (line.flags & StreamLine::kMidstream) != 0;
    Refuse(midstream ? Refused::kBeforeStart : Refused::kOutOfWindow, before);
    if (before == size) return;
  }
  const Bytes bytes{static_cast<uint64_t>(start + before), segment.payload + before, size - before,
                    segment.time_ns};
  uint64_t late = 0;
  if (line.lost > 0) {
    late = lost_ranges_.Overlap(IndexOf(line), line.last_hole, bytes.offset, bytes.end());
    Refuse(Refused::kLate, late);
  }
  CountRetransmitted(line, bytes.size - late);
  // A keep-alive's byte is any: RFC 9293 section 3.8.4.
  const bool keep_alive = bytes.size == 1 && segment.length == 1 && bytes.end() == line.offset;
  if (!keep_alive) CompareWithHistory(line, bytes, bytes.size - late);
}

// `expected` of the bytes were delivered.
void Reassembler::CompareWithHistory(StreamLine& line, const Bytes& bytes, uint64_t expected) {
  uint64_t compared = 0;
  if (line.queued()) {
    const uint64_t oldest = line.offset - std::min<uint64_t>(line.offset, options_.history_bytes);
    history_.ForEach(line.queue, std::max(oldest, bytes.offset), bytes.end(),
                     [&](uint64_t begin, uint64_t end, const uint8_t* old) {
                       const Bytes part = bytes.Part(begin, end);
                       compared += part.size;
                       if (std::memcmp(part.data, old, part.size) != 0) {
                         ReportConflict(line, part, old, false);
                       }
                     });
  }
  counters_.uncompared += expected - compared;
}

// The next bytes of a stream, of a segment that was sent up to `end`: where some of them are there
// already those stay.
void Reassembler::TakeInOrder(StreamLine& line, const Bytes& bytes, uint64_t end) {
  while (line.offset < end) {
    const uint32_t first = line.queued() ? QueueOf(line).pieces.first : Piece::kNone;
    uint64_t stop = end;
    if (first != Piece::kNone) {
      const Piece& piece = pieces_.At(first);
      if (piece.offset == line.offset) {
        const uint64_t both = std::min(piece.end(), bytes.end());
        if (both > line.offset) {
          Compare(line, piece, bytes.Part(line.offset, both), false);
          CountRetransmitted(line, both - line.offset);
        }
        const uint64_t stop_at = std::min(piece.end(), QueueOf(line).end);
        DeliverFirst(line, static_cast<uint32_t>(stop_at - line.offset));
        continue;
      }
      stop = std::min(stop, piece.offset);
    }
    if (line.offset < bytes.end()) {
      Deliver(line, bytes.Part(line.offset, std::min(stop, bytes.end())));
    } else {
      GiveUpHole(line, stop, HoleReason::kTruncated, bytes.time_ns);
    }
  }
  Drain(line, kAll);
}

// The stream ends at `offset`. The first FIN counts; a depth that comes before it counts more.
void Reassembler::NoteEnd(StreamLine& line, uint64_t offset, StreamEnd reason, int64_t time_ns) {
  if (offset < line.offset) return;
  if (offset == line.offset) return End(line, reason, time_ns);
  if (!EnsureQueue(line)) {
    GiveUpHole(line, offset, HoleReason::kMemory, time_ns);
    return End(line, reason, time_ns);
  }
  StreamQueue& queue = QueueOf(line);
  if (queue.HasEnd() && (reason == StreamEnd::kFin || queue.end <= offset)) return;
  queue.end = offset;
  queue.end_reason = reason;
}

void Reassembler::Acknowledge(uint32_t connection, int side, uint32_t sequence, int64_t time_ns) {
  StreamLine& line = LineOf(connection, side);
  now_ns_ = std::max(now_ns_, time_ns);
  if (!line.queued()) return;
  GiveUpDue(line, time_ns);
  const int64_t distance = SequenceDistance(sequence, line.next);
  if (!line.queued() || distance <= 0 || distance > options_.max_window) return;
  StreamQueue& queue = QueueOf(line);
  const uint64_t acknowledged = line.offset + static_cast<uint64_t>(distance);
  if (acknowledged <= queue.acknowledged) return;
  queue.acknowledged = acknowledged;
  if (!holds_ || Drain(line, acknowledged)) Settle(line, time_ns);
  if (line.queued()) GiveUpDue(line, time_ns);
}

void Reassembler::Close(uint32_t connection, StreamEnd end, int64_t time_ns) {
  now_ns_ = std::max(now_ns_, time_ns);
  for (int side = 0; side < 2; ++side) {
    StreamLine& line = LineOf(connection, side);
    if (line.queued()) GiveUpAll(line, HoleReason::kEnd, time_ns);
    if (line.begun() && !line.ended()) End(line, end, time_ns);
    line.flags = 0;
  }
  LineOf(connection, 0).next = free_connection_;
  free_connection_ = connection;
}

void Reassembler::Release() {
  chunks_.Recycle();
  scratch_used_ = 0;
  counters_.memory_bytes = chunks_.bytes_in_use();
}

void Reassembler::Stop(uint32_t connection, int side) {
  StreamLine& line = LineOf(connection, side);
  if (!line.ended()) End(line, StreamEnd::kStopped, now_ns_);
}

void Reassembler::LimitDepth(uint32_t connection, int side, uint64_t depth) {
  StreamLine& line = LineOf(connection, side);
  if (line.ended()) return;
  line.depth = std::max(depth, line.offset);
  if (depth <= line.offset) return End(line, StreamEnd::kDepth, now_ns_);
  if (!line.queued()) return;
  const StreamQueue& queue = QueueOf(line);
  const bool more = !queue.pieces.empty() && pieces_.At(queue.pieces.last).end() > depth;
  if (more || (queue.HasEnd() && queue.end > depth)) {
    NoteEnd(line, depth, StreamEnd::kDepth, now_ns_);
  }
  Settle(line, now_ns_);
}

StreamTotals Reassembler::totals(uint32_t connection, int side) const {
  const StreamLine& line = LineOf(connection, side);
  return {line.offset - line.lost, line.lost, line.retransmitted, line.out_of_order,
          line.conflicts};
}

}  // namespace weir

// TCP segments in, streams out: the bytes of each direction in order, each once, with every hole
// and contradiction announced. RFC 9293 section 3.4 and 3.10; sequence numbers are modulo 2^32
// throughout.
//
// Usable alone, or by the flow tracker. It knows nothing of keys and flows: who calls it names a
// connection by the number that Open gave, and a side by 0 or 1. Thread: one. Memory: everything is
// taken in Create (MemoryBytes says how much). Time is an argument.
//
// Bytes in order pass by reference: InOrder says whether a segment's payload is the next part of
// its stream, and then there is nothing else to do than to hand it on. All that is early, repeated,
// cut or odd goes to Segment.
//
// Limits: a stream that holds more than its share gives up its first hole; when the common memory
// runs short, the stream that holds most does. Early bytes are never refused for lack of memory.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "engine/packet/arena.h"
#include "engine/tcp/chunk_pool.h"
#include "engine/tcp/lost_ranges.h"
#include "engine/tcp/piece_tree.h"
#include "engine/tcp/stream_counters.h"
#include "engine/tcp/stream_history.h"
#include "engine/tcp/stream_line.h"
#include "engine/tcp/stream_options.h"
#include "engine/tcp/stream_queue.h"
#include "engine/tcp/stream_sink.h"
#include "rings/prefetch.h"

namespace weir {

struct StreamSegment {
  uint32_t sequence = 0;  // of the first payload byte: one more than the header's with SYN
  const uint8_t* payload = nullptr;
  uint32_t length = 0;       // captured
  uint32_t wire_length = 0;  // sent
  bool fin = false;          // behind the payload
  int64_t time_ns = 0;
};

inline constexpr uint32_t kNoConnection = UINT32_MAX;

class Reassembler {
 public:
  static absl::StatusOr<std::unique_ptr<Reassembler>> Create(const StreamOptions& options,
                                                             StreamSink& sink);
  static uint64_t MemoryBytes(const StreamOptions& options);
  ~Reassembler();

  // A connection with two streams that have not begun; kNoConnection when all are taken.
  uint32_t Open(uint32_t owner);

  // The number of a stream's first byte: one more than the SYN's, or that of the first segment
  // where the SYN was not seen (`midstream`).
  void Begin(uint32_t connection, int side, uint32_t sequence, bool midstream);
  bool begun(uint32_t connection, int side) const;

  // True when `length` bytes (all that was sent) starting at `sequence` are the stream's next and
  // nothing else is to be done with them: they are counted as delivered, and `offset` is their
  // place. False: nothing was done, call Segment.
  bool InOrder(uint32_t connection, int side, uint32_t sequence, uint32_t length, uint64_t* offset);

  // Takes any segment of a stream that has begun; one without payload may carry a FIN.
  void Segment(uint32_t connection, int side, const StreamSegment& segment);

  // The other side of `side` has acknowledged all before `sequence`.
  void Acknowledge(uint32_t connection, int side, uint32_t sequence, int64_t time_ns);

  // Ends what is open of both streams: holes are announced, what waits is delivered. The
  // connection's number may be given out again, and until then totals() tells of the closed one;
  // its memory comes back with the next Release.
  void Close(uint32_t connection, StreamEnd end, int64_t time_ns);

  // Gives up holes whose time has come. Cost: those that have.
  void Expire(int64_t now_ns);

  // Frees the memory behind the events so far. Once per batch, before the batch.
  void Release();

  // For the consumer, between batches.
  void Stop(uint32_t connection, int side);  // StreamEnd::kStopped; what waits is refused
  void LimitDepth(uint32_t connection, int side, uint64_t depth);  // bytes from offset 0
  // The last `size` bytes that OnData gave (at most kMostKept, and `data` the stream's last event)
  // stand before the next ones, so that what was cut by a segment's end can be read whole. They are
  // dropped when a hole follows, or when too many streams keep some. False: no memory, or more than
  // there was, or there was more behind it.
  bool Keep(uint32_t connection, int side, const StreamData& data, uint32_t size);
  static constexpr uint32_t kMostKept = 2048;

  StreamTotals totals(uint32_t connection, int side) const;
  const StreamCounters& counters() const { return counters_; }

  // Earliest time at which Expire has something to do; INT64_MAX when there is nothing. O(1).
  int64_t NextExpiry() const;
  // Pieces that can wait at once: what one call may deliver is no more than they, each with a hole
  // before it, and its own bytes.
  uint32_t most_pieces() const { return pieces_.size(); }

  // Asks for the stream's line, some packets before its next segment comes.
  void Prefetch(uint32_t connection, int side) const { PrefetchToWrite(&LineOf(connection, side)); }
  // And, when that line is there: for what a segment needs that will have to wait, its bytes too.
  void PrefetchEarly(uint32_t connection, int side, uint32_t sequence, const uint8_t* payload,
                     uint32_t length) const {
    const StreamLine& line = LineOf(connection, side);
    if (sequence != line.next && line.begun() && !line.ended()) PrefetchWait(line, payload, length);
  }

 private:
  struct Sizes;
  // Bytes of a segment, or a part of one, by their place.
  struct Bytes {
    uint64_t offset;
    const uint8_t* data;
    uint32_t size;
    int64_t time_ns;
    uint64_t end() const { return offset + size; }
    Bytes Part(uint64_t from, uint64_t to) const {
      return {from, data + (from - offset), static_cast<uint32_t>(to - from), time_ns};
    }
  };
  static constexpr uint64_t kAll = UINT64_MAX;

  Reassembler(const StreamOptions& options, StreamSink& sink, Arena arena);

  StreamLine& LineOf(uint32_t connection, int side) const {
    return lines_[size_t{connection} * 2 + static_cast<size_t>(side)];
  }
  uint32_t IndexOf(const StreamLine& line) const { return static_cast<uint32_t>(&line - lines_); }
  int SideOf(const StreamLine& line) const { return static_cast<int>(IndexOf(line) & 1); }
  StreamQueue& QueueOf(const StreamLine& line) { return queues_.At(line.queue); }
  void PrefetchWait(const StreamLine& line, const uint8_t* payload, uint32_t length) const;

  // reassembler.cc: where a segment belongs.
  bool Believable(StreamLine& line, int64_t distance, const StreamSegment& segment);
  bool GoOnAt(StreamLine& line, int64_t distance, const StreamSegment& segment);
  void Place(StreamLine& line, int64_t distance, const StreamSegment& segment);
  void TakeRepeated(StreamLine& line, int64_t start, const StreamSegment& segment, uint32_t size);
  void CompareWithHistory(StreamLine& line, const Bytes& bytes, uint64_t expected);
  void TakeInOrder(StreamLine& line, const Bytes& bytes, uint64_t end);
  void NoteEnd(StreamLine& line, uint64_t offset, StreamEnd reason, int64_t time_ns);
  void Refuse(Refused reason, uint64_t bytes) {
    counters_.refused[static_cast<size_t>(reason)] += bytes;
  }
  void CountRetransmitted(StreamLine& line, uint64_t bytes) {
    counters_.retransmitted += bytes;
    line.retransmitted += bytes;
  }

  // reassembler_queue.cc: what waits.
  bool EnsureQueue(StreamLine& line);
  void ReturnQueue(StreamLine& line);
  void Enqueue(StreamLine& line, const Bytes& bytes, uint64_t end);
  bool HasRoom(const StreamQueue& queue, uint32_t size) const;
  void Insert(StreamLine& line, StreamQueue& queue, const Bytes& bytes);
  bool NewWinsOver(const StreamQueue& queue, uint32_t piece, const Bytes& bytes) const;
  uint32_t CutOut(StreamQueue& queue, uint32_t piece, uint64_t begin, uint64_t end);
  void AddPieces(StreamQueue& queue, uint32_t previous, Bytes bytes);
  void AddPiece(StreamQueue& queue, uint32_t previous, const Piece& piece);
  void RemovePiece(StreamQueue& queue, uint32_t piece);
  void Shrink(StreamQueue& queue, uint64_t bytes);
  void ExtendRun(const StreamLine& line, StreamQueue& queue);
  void Compare(StreamLine& line, const Piece& piece, const Bytes& bytes, bool new_wins);
  void ReportConflict(StreamLine& line, const Bytes& lost, const uint8_t* kept, bool new_wins);

  // reassembler_deliver.cc: what the sink is told.
  void Deliver(StreamLine& line, const Bytes& bytes);
  Bytes Join(StreamQueue& queue, const Bytes& bytes, uint32_t* kept);
  void DropKept(StreamQueue& queue);
  void Remember(StreamLine& line, const Bytes& bytes);
  void DeliverFirst(StreamLine& line, uint32_t size);
  bool Drain(StreamLine& line, uint64_t up_to);
  void GiveUpHole(StreamLine& line, uint64_t up_to, HoleReason reason, int64_t time_ns);
  void End(StreamLine& line, StreamEnd reason, int64_t time_ns);
  void SetWaiting(StreamLine& line, bool waiting);

  // reassembler_limits.cc: what is given up, and when.
  uint64_t Front(const StreamQueue& queue) const;
  void GiveUpFirst(StreamLine& line, HoleReason reason, int64_t time_ns, uint64_t up_to);
  void GiveUpAll(StreamLine& line, HoleReason reason, int64_t time_ns);
  void GiveUpBefore(StreamLine& line, uint64_t offset, HoleReason reason, int64_t time_ns);
  void GiveUpDue(StreamLine& line, int64_t now_ns);
  void GiveUpAcknowledged(StreamLine& line);
  bool GiveUpOldestHistory(uint32_t but_queue);
  void KeepWithinLimits(StreamLine& line, int64_t time_ns);
  void Relieve(int64_t time_ns);
  void Settle(StreamLine& line, int64_t time_ns);

  const StreamOptions options_;
  StreamSink& sink_;
  const bool holds_;  // new bytes can win: those in order are held until they are acknowledged
  const bool joins_;  // where a segment ended does not matter to the policy
  StreamLine* lines_ = nullptr;
  StreamCounters counters_;
  int64_t now_ns_ = 0;  // the latest time that was heard of

  Arena arena_;
  ChunkPool chunks_;
  PieceTree pieces_;
  QueuePool queues_;
  LostRanges lost_ranges_;
  StreamHistory history_{chunks_, queues_};
  uint32_t reserve_chunks_;
  uint8_t* scratch_ = nullptr;  // kept bytes and those behind them, until the next Release
  uint32_t scratch_size_;
  uint32_t scratch_used_ = 0;
  uint32_t connections_used_ = 0;  // numbers below this were given out once
  uint32_t free_connection_ = kNoConnection;
};

inline bool Reassembler::begun(uint32_t connection, int side) const {
  return LineOf(connection, side).begun();
}

inline bool Reassembler::InOrder(uint32_t connection, int side, uint32_t sequence, uint32_t length,
                                 uint64_t* offset) {
  StreamLine& line = LineOf(connection, side);
  if (sequence != line.next || !line.simple() || length > line.depth - line.offset) return false;
  *offset = line.offset;
  line.offset += length;
  line.next += length;
  counters_.payload += length;
  counters_.delivered += length;
  ++counters_.segments;
  return true;
}

}  // namespace weir

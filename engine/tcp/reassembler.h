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
#include "engine/tcp/stream_counters.h"
#include "engine/tcp/stream_options.h"
#include "engine/tcp/stream_sink.h"

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
  // connection's number may be given out again; its memory comes back with the next Release.
  void Close(uint32_t connection, StreamEnd end, int64_t time_ns);

  // Gives up holes whose time has come. Cost: those that have.
  void Expire(int64_t now_ns);

  // Frees the memory behind the events so far. Once per batch, before the batch.
  void Release();

  // For the consumer, between batches.
  void Stop(uint32_t connection, int side);  // StreamEnd::kStopped; what waits is refused
  void LimitDepth(uint32_t connection, int side, uint64_t depth);  // bytes from offset 0
  // The last `size` bytes that OnData gave (at most kMostKept) stand before the next ones, so that
  // what was cut by a segment's end can be read whole. False: no memory, or more than there was.
  bool Keep(uint32_t connection, int side, const StreamData& data, uint32_t size);
  static constexpr uint32_t kMostKept = 2048;

  StreamTotals totals(uint32_t connection, int side) const;
  const StreamCounters& counters() const;

  void Prefetch(uint32_t connection, int side) const;
};

}  // namespace weir

// What a reassembler tells.
//
// Offsets count the bytes of a stream from 0, its first: the one behind the SYN, or the first that
// was seen where the stream was joined in the middle. Thread: the reassembler's. Lifetime: bytes
// live until Reassembler::Release (a segment's own ones as long as the segment's frame).
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/tcp/stream_counters.h"

namespace weir {

// Why a stream ended.
enum class StreamEnd : uint8_t {
  kFin,      // its FIN, with every byte before it delivered or announced as lost
  kRst,      // the connection was reset
  kDepth,    // StreamOptions::depth, or what the embedder set
  kStopped,  // by the embedder
  kFlow,     // its flow ended: time-out, eviction, port reuse, end of the source
  kCount,
};
std::string_view Name(StreamEnd end);

struct StreamData {
  uint64_t offset = 0;
  const uint8_t* data = nullptr;
  uint32_t size = 0;
  uint32_t kept = 0;  // of these at the front, those that were asked to be kept from the last call
  int64_t time_ns = 0;  // of the segment that brought them
};

struct StreamHole {
  uint64_t offset = 0;
  uint64_t size = 0;
  int64_t time_ns = 0;  // when it was given up
  HoleReason reason = HoleReason::kEnd;
};

// Other bytes for a place that had some.
struct StreamConflict {
  uint64_t offset = 0;  // of the first byte that differs
  uint32_t size = 0;    // up to the last one that differs
  bool new_wins = false;
  const uint8_t* data = nullptr;  // the bytes that lost, `size` of them; null when they are gone
  int64_t time_ns = 0;
};

// `owner` is what Reassembler::Open was given, `side` the sender's: 0 or 1.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual void OnData(uint32_t owner, int side, const StreamData& data) = 0;
  virtual void OnHole(uint32_t owner, int side, const StreamHole& hole) = 0;
  virtual void OnConflict(uint32_t owner, int side, const StreamConflict& conflict) = 0;
  virtual void OnEnd(uint32_t owner, int side, StreamEnd end, uint64_t offset, int64_t time_ns) = 0;
  // The stream begins or stops to have bytes that wait: acknowledgements matter only while it has.
  virtual void OnWaiting(uint32_t owner, int side, bool waiting) = 0;
};

}  // namespace weir

// What a stream needs while something of it waits: its pieces, its known end, its acknowledgement,
// and its places in the lists that say whose turn it is. Taken when the first byte must wait,
// returned when nothing waits any more.
//
// Thread: one. Memory: the arena's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/packet/arena.h"
#include "engine/tcp/chunk_pool.h"
#include "engine/tcp/piece_tree.h"
#include "engine/tcp/stream_sink.h"
#include "rings/prefetch.h"

namespace weir {

struct QueueLinks {
  uint32_t previous;
  uint32_t next;
};

struct alignas(64) StreamQueue {
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint64_t kNoEnd = UINT64_MAX;
  static constexpr uint8_t kNoClass = UINT8_MAX;

  uint32_t stream = kNone;
  uint32_t chunks = 0;                     // that pieces of this stream use
  uint32_t fill_chunk = ChunkPool::kNone;  // the one that was used last,
  uint32_t fill_used = 0;                  // and so much of it
  PieceList pieces;
  uint64_t buffered = 0;  // bytes in pieces
  // Where the stream is known to end, and below why: FIN, or the depth.
  uint64_t end = kNoEnd;
  // What the stream waits for: `waits_at` is the settled offset when the waiting began.
  uint64_t waits_at = UINT64_MAX;

  int64_t waits_since_ns = 0;
  uint64_t acknowledged = 0;  // offset
  uint64_t run_end = 0;       // bytes are there without a hole up to here (policies that hold)
  StreamEnd end_reason = StreamEnd::kFin;
  bool in_waiting = false;
  bool in_grace = false;
  uint8_t size_class = kNoClass;
  uint32_t first_history = kNone;  // chunks of delivered bytes
  uint32_t last_history = kNone;
  uint32_t kept_chunk = ChunkPool::kNone;  // the tail that the embedder kept
  uint32_t kept_size = 0;
  QueueLinks waiting_links;

  // While in the list of acknowledged holes: up to here, and when it is enough.
  uint64_t grace_up_to = 0;
  int64_t grace_due_ns = 0;
  QueueLinks grace_links;
  QueueLinks class_links;

  bool HasEnd() const { return end != kNoEnd; }
  bool waits() const { return !pieces.empty() || HasEnd(); }
  bool idle() const { return !waits() && kept_chunk == ChunkPool::kNone && first_history == kNone; }
};

// A doubly linked list of queues, through one of their links.
template <QueueLinks StreamQueue::*kLinks>
class QueueList {
 public:
  uint32_t first() const { return first_; }

  void PushBack(StreamQueue* queues, uint32_t queue) {
    queues[queue].*kLinks = {last_, StreamQueue::kNone};
    (last_ == StreamQueue::kNone ? first_ : (queues[last_].*kLinks).next) = queue;
    last_ = queue;
  }

  void Remove(StreamQueue* queues, uint32_t queue) {
    const QueueLinks links = queues[queue].*kLinks;
    (links.previous == StreamQueue::kNone ? first_ : (queues[links.previous].*kLinks).next) =
        links.next;
    (links.next == StreamQueue::kNone ? last_ : (queues[links.next].*kLinks).previous) =
        links.previous;
  }

 private:
  uint32_t first_ = StreamQueue::kNone;
  uint32_t last_ = StreamQueue::kNone;
};

// All queues, those in use in lists: by the time they began to wait, by the time an acknowledgement
// covered their hole, and, if they use kManyChunks or more, by the power of two of these.
class QueuePool {
 public:
  void Init(Arena& arena, uint32_t queues);
  static constexpr size_t MemoryBytes(uint32_t queues) { return Arena::Bytes<StreamQueue>(queues); }

  uint32_t Take(uint32_t stream);  // kNone when all are taken
  void Return(uint32_t queue);     // takes it off all lists

  // `queue`, or the one that Take would give.
  void Prefetch(uint32_t queue) const {
    if (queue == StreamQueue::kNone) queue = free_;
    if (queue == StreamQueue::kNone) return;
    const auto* const at = reinterpret_cast<const uint8_t*>(&queues_[queue]);
    for (size_t line = 0; line < sizeof(StreamQueue); line += 64) PrefetchToWrite(at + line);
  }

  StreamQueue& At(uint32_t queue) { return queues_[queue]; }
  const StreamQueue& At(uint32_t queue) const { return queues_[queue]; }

  // The wait begins anew: behind all others.
  void Wait(uint32_t queue);
  void NoWait(uint32_t queue);
  uint32_t FirstWaiting() const { return waiting_.first(); }

  void EnterGrace(uint32_t queue);
  void LeaveGrace(uint32_t queue);
  uint32_t FirstInGrace() const { return grace_.first(); }

  // To be called when `chunks` of a queue changed.
  void Classify(uint32_t queue);
  // One of those that use most chunks, within a factor of two; when none uses many, the one that
  // waits longest; kNone when none waits.
  uint32_t Largest() const;

 private:
  static constexpr size_t kClasses = 32;
  static constexpr uint32_t kManyChunks = 16;

  StreamQueue* queues_ = nullptr;
  uint32_t free_ = StreamQueue::kNone;  // linked through `stream`
  QueueList<&StreamQueue::waiting_links> waiting_;
  QueueList<&StreamQueue::grace_links> grace_;
  std::array<QueueList<&StreamQueue::class_links>, kClasses> classes_;
  uint32_t classes_used_ = 0;  // one bit for each class that is not empty
};

}  // namespace weir

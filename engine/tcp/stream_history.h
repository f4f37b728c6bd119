// Delivered bytes of streams, kept so that what comes again can be compared with them.
//
// Each stream has a chain of chunks; all chunks stand in one row by age, and the oldest goes first
// when memory is short, so that no stream keeps others from it. No event points into them: a chunk
// that is given up is free at once. Thread: one. Memory: the arena's, and the chunks'.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/packet/arena.h"
#include "engine/tcp/chunk_pool.h"
#include "engine/tcp/stream_queue.h"

namespace weir {

class StreamHistory {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  StreamHistory(ChunkPool& chunks, QueuePool& queues) : chunks_(chunks), queues_(queues) {}
  void Init(Arena& arena, uint32_t chunks) { entries_ = arena.Take<Entry>(chunks); }
  static constexpr size_t MemoryBytes(uint32_t chunks) { return Arena::Bytes<Entry>(chunks); }

  // How many bytes at `offset` need no new chunk.
  uint32_t Room(uint32_t queue, uint64_t offset) const;
  // Takes at most so many, or as many as a new chunk holds; one must be free if there is no room.
  // Gives their number.
  uint32_t Append(uint32_t queue, uint64_t offset, const uint8_t* data, uint32_t size);

  // Gives up the stream's chunks that lie before `offset`.
  void ForgetBefore(uint32_t queue, uint64_t offset);
  void Forget(uint32_t queue) { ForgetBefore(queue, UINT64_MAX); }
  // Gives up the oldest chunk of all; the queue that had it, kNone when there is none.
  uint32_t GiveUpOldest();

  // Calls visit(begin, end, bytes) for each part of [begin, end) that is there, newest first.
  template <typename Visit>
  void ForEach(uint32_t queue, uint64_t begin, uint64_t end, Visit visit) const {
    for (uint32_t chunk = queues_.At(queue).last_history; chunk != kNone;
         chunk = entries_[chunk].before) {
      const Entry& entry = entries_[chunk];
      const uint64_t from = std::max(begin, entry.offset);
      const uint64_t to = std::min(end, entry.offset + entry.size);
      if (from < to) visit(from, to, chunks_.At(chunk) + (from - entry.offset));
      if (entry.offset <= begin) return;
    }
  }

 private:
  struct Entry {
    uint64_t offset;
    uint32_t size;
    uint32_t queue;
    uint32_t before;  // of the same stream
    uint32_t behind;
    uint32_t older;  // of all streams
    uint32_t newer;
  };

  uint32_t Add(uint32_t queue, uint64_t offset);
  void RemoveFirst(StreamQueue& queue);

  ChunkPool& chunks_;
  QueuePool& queues_;
  Entry* entries_ = nullptr;  // beside each chunk
  uint32_t oldest_ = kNone;
  uint32_t newest_ = kNone;
};

}  // namespace weir

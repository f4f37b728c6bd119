#include "engine/tcp/stream_history.h"

#include <cstring>

namespace weir {

uint32_t StreamHistory::Room(uint32_t queue, uint64_t offset) const {
  const uint32_t last = queues_.At(queue).last_history;
  if (last == kNone || entries_[last].offset + entries_[last].size != offset) return 0;
  return ChunkPool::kBytes - entries_[last].size;
}

uint32_t StreamHistory::Append(uint32_t queue, uint64_t offset, const uint8_t* data,
                               uint32_t size) {
  const bool room = Room(queue, offset) > 0;
  const uint32_t chunk = room ? queues_.At(queue).last_history : Add(queue, offset);
  Entry& entry = entries_[chunk];
  const uint32_t part = std::min(size, ChunkPool::kBytes - entry.size);
  std::memcpy(chunks_.At(chunk) + entry.size, data, part);
  entry.size += part;
  return part;
}

void StreamHistory::ForgetBefore(uint32_t queue, uint64_t offset) {
  StreamQueue& owner = queues_.At(queue);
  while (owner.first_history != kNone) {
    const Entry& entry = entries_[owner.first_history];
    if (entry.offset + entry.size > offset) return;
    RemoveFirst(owner);
  }
}

// The oldest of all is the first of its stream.
uint32_t StreamHistory::GiveUpOldest() {
  if (oldest_ == kNone) return kNone;
  const uint32_t queue = entries_[oldest_].queue;
  RemoveFirst(queues_.At(queue));
  return queue;
}

uint32_t StreamHistory::Add(uint32_t queue, uint64_t offset) {
  StreamQueue& owner = queues_.At(queue);
  const uint32_t chunk = chunks_.Take();
  entries_[chunk] = {offset, 0, queue, owner.last_history, kNone, newest_, kNone};
  (owner.last_history == kNone ? owner.first_history : entries_[owner.last_history].behind) = chunk;
  owner.last_history = chunk;
  (newest_ == kNone ? oldest_ : entries_[newest_].newer) = chunk;
  newest_ = chunk;
  return chunk;
}

void StreamHistory::RemoveFirst(StreamQueue& queue) {
  const uint32_t chunk = queue.first_history;
  const Entry& entry = entries_[chunk];
  queue.first_history = entry.behind;
  (entry.behind == kNone ? queue.last_history : entries_[entry.behind].before) = kNone;
  (entry.older == kNone ? oldest_ : entries_[entry.older].newer) = entry.newer;
  (entry.newer == kNone ? newest_ : entries_[entry.newer].older) = entry.older;
  chunks_.Return(chunk);
}

}  // namespace weir

// Chunks of 2 KiB for bytes that wait. Several pieces of a stream may lie in one chunk, which is
// free again when the last of them is gone, but not before the next Recycle: events point into it.
//
// Thread: one. Memory: the arena's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/packet/arena.h"
#include "rings/prefetch.h"

namespace weir {

class ChunkPool {
 public:
  static constexpr uint32_t kBytes = 2048;
  static constexpr uint32_t kNone = UINT32_MAX;

  void Init(Arena& arena, uint32_t chunks);
  static constexpr size_t MemoryBytes(uint32_t chunks) {
    return Arena::Bytes<uint8_t>(size_t{chunks} * kBytes) + Arena::Bytes<Head>(chunks);
  }

  // A chunk without users; one must be free.
  uint32_t Take();
  // At once: for a chunk that no event points into.
  void Return(uint32_t chunk);

  void AddUser(uint32_t chunk) { ++heads_[chunk].users; }
  // True: that was the last one, and the chunk will be free after the next Recycle.
  bool DropUser(uint32_t chunk);

  void Recycle();

  uint8_t* At(uint32_t chunk) { return bytes_ + size_t{chunk} * kBytes; }
  const uint8_t* At(uint32_t chunk) const { return bytes_ + size_t{chunk} * kBytes; }
  // Asks for the first `size` bytes of the chunk that Take would give, and for its head.
  void PrefetchNext(uint32_t size) const {
    if (first_free_ == kNone) return;
    PrefetchToWrite(&heads_[first_free_]);
    for (uint32_t at = 0; at < size; at += 64) PrefetchToWrite(At(first_free_) + at);
  }
  uint32_t size() const { return size_; }
  uint32_t free() const { return free_; }
  uint32_t leaving() const { return leaving_; }  // will be free after the next Recycle
  uint64_t bytes_in_use() const { return uint64_t{size_ - free_} * kBytes; }

 private:
  struct Head {
    uint32_t next;
    uint32_t users;
  };

  uint8_t* bytes_ = nullptr;
  Head* heads_ = nullptr;
  uint32_t size_ = 0;
  uint32_t free_ = 0;
  uint32_t leaving_ = 0;
  uint32_t first_free_ = kNone;
  uint32_t first_leaving_ = kNone;
  uint32_t last_leaving_ = kNone;
};

}  // namespace weir

#include "engine/tcp/chunk_pool.h"

namespace weir {

void ChunkPool::Init(Arena& arena, uint32_t chunks) {
  bytes_ = arena.Take<uint8_t>(size_t{chunks} * kBytes);
  heads_ = arena.Take<Head>(chunks);
  size_ = chunks;
  for (uint32_t chunk = chunks; chunk > 0; --chunk) Return(chunk - 1);
}

uint32_t ChunkPool::Take() {
  const uint32_t chunk = first_free_;
  first_free_ = heads_[chunk].next;
  heads_[chunk].users = 0;
  --free_;
  return chunk;
}

void ChunkPool::Return(uint32_t chunk) {
  heads_[chunk].next = first_free_;
  first_free_ = chunk;
  ++free_;
}

bool ChunkPool::DropUser(uint32_t chunk) {
  if (--heads_[chunk].users > 0) return false;
  heads_[chunk].next = first_leaving_;
  if (first_leaving_ == kNone) last_leaving_ = chunk;
  first_leaving_ = chunk;
  ++leaving_;
  return true;
}

void ChunkPool::Recycle() {
  if (first_leaving_ == kNone) return;
  heads_[last_leaving_].next = first_free_;
  first_free_ = first_leaving_;
  free_ += leaving_;
  first_leaving_ = last_leaving_ = kNone;
  leaving_ = 0;
}

}  // namespace weir

#include "engine/packet/recent_hashes.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace weir {
namespace {

constexpr size_t kHugePage = 2 << 20;

}  // namespace

void RecentHashes::Unmapper::operator()(void* memory) const { munmap(memory, bytes); }

// Zeroed memory, touched now rather than on the packet path, in huge pages where it is worth it.
template <typename T>
RecentHashes::Array<T> RecentHashes::Map(size_t count) {
  const size_t bytes = count * sizeof(T);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::fprintf(stderr, "no memory for dedup: %zu bytes; choose a smaller depth\n", bytes);
    std::abort();
  }
  if (bytes >= kHugePage) madvise(memory, bytes, MADV_HUGEPAGE);
  std::memset(memory, 0, bytes);
  return Array<T>(static_cast<T*>(memory), Unmapper{bytes});
}

RecentHashes::RecentHashes(uint32_t depth, uint64_t first)
    : depth_(std::clamp(depth, 1u, kGreatestDepth)),
      // A third of the entries is alive at most, so one bucket in a thousand has more than it can
      // hold.
      bucket_mask_(std::bit_ceil(size_t{depth_} * 3 / kEntries + 1) - 1),
      next_(uint64_t{depth_} + 1 + first),  // so that entries of 0 are dead
      ring_(Map<Record>(depth_)),
      buckets_(Map<Bucket>(bucket_mask_ + 1)) {}

size_t RecentHashes::memory_bytes() const {
  return depth_ * sizeof(Record) + (bucket_mask_ + 1) * sizeof(Bucket);
}

RecentHashes::Record* RecentHashes::FindSlow(const Hash128& hash) {
  for (size_t index = Home(hash);; index = (index + 1) & bucket_mask_) {
    Bucket& bucket = buckets_[index];
    for (uint32_t matches = Matches(bucket, Tag(hash)); matches != 0; matches &= matches - 1) {
      uint32_t& sequence = bucket.sequences[std::countr_zero(matches)];
      if (!Alive(sequence)) continue;
      Record& record = ring_[Slot(sequence)];
      if (!(record.hash == hash)) continue;
      found_ = &sequence;
      return &record;
    }
    if (!HasSpilled(bucket)) return nullptr;
  }
}

// The record that goes in front of `newest`; the index forgets that one, since the chain leads to
// it.
RecentHashes::Record RecentHashes::Chained(const Hash128& hash, int64_t time,
                                           const Record& newest) {
  const __int128 latest = static_cast<__int128>(newest.time) + newest.lead_ns;
  const __int128 lead = std::clamp<__int128>(latest - time, 0, UINT32_MAX);
  const uint32_t previous = *found_;
  *found_ = DeadSequence();
  return Record{hash, time, previous,
                newest.lead_ns == kUnknownLead ? kUnknownLead : static_cast<uint32_t>(lead)};
}

// Into the next bucket with a free entry; the full ones on the way keep word of it.
void RecentHashes::Spill(Bucket& bucket, uint32_t tag, uint32_t sequence) {
  const uint64_t whole_sequence = next_ - Age(sequence);
  size_t index = static_cast<size_t>(&bucket - buckets_.get());
  for (size_t visited = 0; visited < bucket_mask_; ++visited) {
    buckets_[index].spilled = std::max(buckets_[index].spilled, whole_sequence);
    index = (index + 1) & bucket_mask_;
    Bucket& next = buckets_[index];
    for (int i = 0; i < kEntries; ++i) {
      if (Alive(next.sequences[i])) continue;
      next.tags[i] = tag;
      next.sequences[i] = sequence;
      return;
    }
  }
}

void RecentHashes::Unlink(const Record& record, Record* newer) {
  if (newer != nullptr) {
    newer->previous = record.previous;
  } else {
    *found_ = Alive(record.previous) ? record.previous : DeadSequence();
  }
}

}  // namespace weir

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

RecentHashes::RecentHashes(uint32_t depth)
    : depth_(std::clamp(depth, 1u, kGreatestDepth)),
      // At most half of the entries are alive, a quarter on average.
      bucket_mask_(std::bit_ceil(size_t{depth_} * 2 / kEntries + 1) - 1),
      ring_(Map<Record>(depth_)),
      buckets_(Map<Bucket>(bucket_mask_ + 1)) {}

size_t RecentHashes::memory_bytes() const {
  return depth_ * sizeof(Record) + (bucket_mask_ + 1) * sizeof(Bucket);
}

RecentHashes::Record* RecentHashes::Find(const Hash128& hash) {
  const uint64_t tag = Tag(hash);
  const size_t home = Home(hash);
  for (size_t index = home;; index = (index + 1) & bucket_mask_) {
    Bucket& bucket = buckets_[index];
    for (uint64_t& entry : bucket.entries) {
      if (entry >> kSequenceBits != tag || !Alive(entry & kSequenceMask)) continue;
      Record& record = ring_[Slot(entry)];
      if (!(record.hash == hash)) continue;
      found_ = &entry;
      found_at_home_ = index == home;
      return &record;
    }
    if (!Alive(bucket.spilled)) return nullptr;
  }
}

void RecentHashes::Push(const Hash128& hash, int64_t time, const Record* newest) {
  Record record{hash, time, time, 0};
  const uint64_t entry = Tag(hash) << kSequenceBits | (next_ & kSequenceMask);
  if (newest != nullptr) {
    record.latest = std::max(time, newest->latest);
    record.previous = next_ - Age(*found_);
    *found_ = found_at_home_ ? entry : 0;
  }
  if (newest == nullptr || !found_at_home_) Insert(hash);
  ring_[position_] = record;
  Advance();
}

// Into the first bucket with a free entry; the full ones on the way note it.
void RecentHashes::Insert(const Hash128& hash) {
  const uint64_t new_entry = Tag(hash) << kSequenceBits | (next_ & kSequenceMask);
  for (size_t index = Home(hash);; index = (index + 1) & bucket_mask_) {
    Bucket& bucket = buckets_[index];
    for (uint64_t& entry : bucket.entries) {
      if (Alive(entry & kSequenceMask)) continue;
      entry = new_entry;
      return;
    }
    bucket.spilled = next_;
  }
}

void RecentHashes::PushAnonymous(int64_t time) {
  ring_[position_] = Record{{}, time, time, 0};
  Advance();
}

void RecentHashes::Unlink(const Record& record, Record* newer) {
  if (newer != nullptr) {
    newer->previous = record.previous;
  } else if (Alive(record.previous)) {
    *found_ = (*found_ & ~kSequenceMask) | (record.previous & kSequenceMask);
  } else {
    *found_ = 0;
  }
}

}  // namespace weir

#include "engine/packet/fragment_store.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <random>

namespace weir {
namespace {

constexpr uint32_t kNone = Datagram::kNone;

// Bits for the units [first, last) of one page.
uint64_t UnitMask(uint32_t first, uint32_t last) {
  const uint64_t upto = last == 64 ? ~uint64_t{0} : (uint64_t{1} << last) - 1;
  return upto & (~uint64_t{0} << first);
}

}  // namespace

FragmentStore::FragmentStore(uint32_t max_datagrams, uint32_t max_bytes)
    : datagrams_(std::max(1u, max_datagrams)),
      buckets_(std::bit_ceil(size_t{2} * datagrams_.size()), kNone),
      bytes_(size_t{std::max(1u, max_bytes / Datagram::kPageBytes)} * Datagram::kPageBytes),
      seed_(std::random_device()()) {
  for (size_t i = datagrams_.size(); i-- > 0;) free_datagrams_.push_back(static_cast<uint32_t>(i));
  for (size_t i = bytes_.size() / Datagram::kPageBytes; i-- > 0;) {
    free_pages_.push_back(static_cast<uint32_t>(i));
  }
}

uint32_t FragmentStore::BucketOf(const DatagramKey& key) const {
  return static_cast<uint32_t>(XXH3_64bits_withSeed(&key, key.size(), seed_) &
                               (buckets_.size() - 1));
}

Datagram* FragmentStore::Find(const DatagramKey& key) {
  for (uint32_t i = buckets_[BucketOf(key)]; i != kNone; i = datagrams_[i].next_in_bucket) {
    if (datagrams_[i].key == key) return &datagrams_[i];
  }
  return nullptr;
}

Datagram* FragmentStore::Add(const DatagramKey& key, int64_t now_ns) {
  if (free_datagrams_.empty()) return nullptr;
  const uint32_t index = free_datagrams_.back();
  free_datagrams_.pop_back();
  Datagram& datagram = datagrams_[index];
  datagram.key = key;
  datagram.first_ns = now_ns;
  datagram.fragments = datagram.wire_bytes = datagram.end = datagram.total = datagram.units = 0;
  datagram.protocol = 0;
  datagram.refused = false;
  datagram.have.fill(0);
  uint32_t& bucket = buckets_[BucketOf(key)];
  datagram.next_in_bucket = bucket;
  bucket = index;
  datagram.older = youngest_;
  datagram.newer = kNone;
  (youngest_ == kNone ? oldest_ : datagrams_[youngest_].newer) = index;
  youngest_ = index;
  return &datagram;
}

void FragmentStore::DropPages(Datagram& datagram) {
  const uint32_t pages = (datagram.end + Datagram::kPageBytes - 1) / Datagram::kPageBytes;
  for (uint32_t i = 0; i < pages; ++i) {
    if (datagram.have[i] != 0) free_pages_.push_back(datagram.page[i]);
    datagram.have[i] = 0;
  }
  datagram.end = datagram.units = 0;
}

void FragmentStore::Remove(Datagram& datagram) {
  DropPages(datagram);
  const uint32_t index = IndexOf(datagram);
  uint32_t* link = &buckets_[BucketOf(datagram.key)];
  while (*link != index) link = &datagrams_[*link].next_in_bucket;
  *link = datagram.next_in_bucket;
  (datagram.older == kNone ? oldest_ : datagrams_[datagram.older].newer) = datagram.newer;
  (datagram.newer == kNone ? youngest_ : datagrams_[datagram.newer].older) = datagram.older;
  free_datagrams_.push_back(index);
}

bool FragmentStore::HasRoom(const Datagram& datagram, uint32_t offset, uint32_t size) const {
  const uint32_t last = (offset + size - 1) / Datagram::kPageBytes;
  size_t wanted = 0;
  for (uint32_t i = offset / Datagram::kPageBytes; i <= last; ++i) wanted += datagram.have[i] == 0;
  return wanted <= free_pages_.size();
}

FragmentStore::Outcome FragmentStore::Put(Datagram& datagram, uint32_t offset, const uint8_t* data,
                                          uint32_t size) {
  if (!HasRoom(datagram, offset, size)) return Outcome::kNoMemory;
  const uint32_t end = offset + size;
  bool met_old = false, met_new = false, differs = false;
  for (uint32_t at = offset; at < end;) {
    const uint32_t index = at / Datagram::kPageBytes, page_start = index * Datagram::kPageBytes;
    const uint32_t stop = std::min(end, page_start + Datagram::kPageBytes);
    const uint32_t first = (at - page_start) / Datagram::kUnit;
    const uint32_t last = (stop - page_start + Datagram::kUnit - 1) / Datagram::kUnit;
    const uint64_t mask = UnitMask(first, last), old = datagram.have[index] & mask;
    if (datagram.have[index] == 0) {
      datagram.page[index] = free_pages_.back();
      free_pages_.pop_back();
    }
    uint8_t* page = PageAt(datagram.page[index]);
    for (uint32_t unit = first; old != 0 && unit < last;
         ++unit) {  // rare: something is there already
      const uint32_t from = page_start + unit * Datagram::kUnit;
      const uint32_t bytes = std::min(Datagram::kUnit, stop - from);
      if ((old >> unit & 1) == 0) {
        std::memcpy(page + (from - page_start), data + (from - offset), bytes);
      } else {
        differs |= std::memcmp(page + (from - page_start), data + (from - offset), bytes) != 0;
      }
    }
    if (old == 0) std::memcpy(page + (at - page_start), data + (at - offset), stop - at);
    met_old |= old != 0;
    met_new |= old != mask;
    datagram.have[index] |= mask;
    datagram.units += static_cast<uint32_t>(std::popcount(mask & ~old));
    datagram.end = std::max(datagram.end, stop);
    at = stop;
  }
  return met_old && (met_new || differs) ? Outcome::kOverlap : Outcome::kNew;
}

void FragmentStore::CopyTo(const Datagram& datagram, uint8_t* target) const {
  for (uint32_t at = 0; at < datagram.total; at += Datagram::kPageBytes) {
    const size_t page = datagram.page[at / Datagram::kPageBytes];
    std::memcpy(target + at, bytes_.data() + page * Datagram::kPageBytes,
                std::min(Datagram::kPageBytes, datagram.total - at));
  }
}

size_t FragmentStore::memory_bytes() const {
  return datagrams_.capacity() * sizeof(Datagram) + bytes_.capacity() +
         (free_datagrams_.capacity() + buckets_.capacity() + free_pages_.capacity()) *
             sizeof(uint32_t);
}

}  // namespace weir

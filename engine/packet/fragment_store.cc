#include "engine/packet/fragment_store.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <random>

namespace weir {
namespace {

constexpr uint32_t kNone = Datagram::kNone;
constexpr uint32_t kPageUnits = Datagram::kPageBytes / Datagram::kUnit;
constexpr uint32_t kUnits = Datagram::kPages * kPageUnits;
static_assert(kPageUnits == 64, "one word of bits");

bool Has(const Datagram& datagram, uint32_t unit) {
  return (datagram.have[unit / kPageUnits] >> unit % kPageUnits & 1) != 0;
}

// Bits for the units [first, last) of one page.
uint64_t UnitMask(uint32_t first, uint32_t last) {
  const uint64_t upto = last == 64 ? ~uint64_t{0} : (uint64_t{1} << last) - 1;
  return upto & (~uint64_t{0} << first);
}

SenderKey SenderOf(const DatagramKey& key) {
  SenderKey sender;
  sender.path_length = key.path_length;
  sender.family = static_cast<uint8_t>(key.family);
  const size_t size = key.family == AddressFamily::kIpv4 ? 4 : 8;
  std::memcpy(sender.address.data(), key.addresses.data(), size);
  std::memcpy(sender.path.data(), key.path.data(), key.path_length);
  return sender;
}

}  // namespace

FragmentStore::FragmentStore(uint32_t max_datagrams, uint32_t max_bytes, OverlapPolicy policy)
    : policy_(policy),
      shares_(std::max(1u, max_datagrams), std::max(1u, max_bytes / Datagram::kPageBytes)),
      datagrams_(std::max(1u, max_datagrams)),
      buckets_(std::bit_ceil(size_t{2} * datagrams_.size()), kNone),
      bytes_(size_t{std::max(1u, max_bytes / Datagram::kPageBytes)} * Datagram::kPageBytes),
      starts_(bytes_.size() / Datagram::kPageBytes),
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
  datagram.pages = 0;
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
  shares_.Add(index, SenderOf(key));
  return &datagram;
}

void FragmentStore::FreePages(Datagram& datagram) {
  const uint32_t pages = (datagram.end + Datagram::kPageBytes - 1) / Datagram::kPageBytes;
  for (uint32_t i = 0; i < pages; ++i) {
    if (datagram.have[i] != 0) free_pages_.push_back(datagram.page[i]);
    datagram.have[i] = 0;
  }
  datagram.end = datagram.units = datagram.pages = 0;
}

void FragmentStore::DropPages(Datagram& datagram) {
  FreePages(datagram);
  shares_.Emptied(IndexOf(datagram));
}

void FragmentStore::Remove(Datagram& datagram) {
  FreePages(datagram);
  const uint32_t index = IndexOf(datagram);
  shares_.Remove(index);
  uint32_t* link = &buckets_[BucketOf(datagram.key)];
  while (*link != index) link = &datagrams_[*link].next_in_bucket;
  *link = datagram.next_in_bucket;
  (datagram.older == kNone ? oldest_ : datagrams_[datagram.older].newer) = datagram.newer;
  (datagram.newer == kNone ? youngest_ : datagrams_[datagram.newer].older) = datagram.older;
  free_datagrams_.push_back(index);
}

struct FragmentStore::Piece {
  const uint8_t* data;
  uint32_t offset, size;
  FragmentPlace place;

  const uint8_t* At(uint32_t unit) const { return data + (unit * Datagram::kUnit - offset); }
  uint32_t Bytes(uint32_t first, uint32_t last) const {
    return std::min(last * Datagram::kUnit, offset + size) - first * Datagram::kUnit;
  }
};

// One page for each that the place needs and the datagram has not; all of them or none.
bool FragmentStore::TakePages(Datagram& datagram, FragmentPlace place) {
  const uint32_t first = place.start / kPageUnits, last = (place.end - 1) / kPageUnits;
  size_t wanted = 0;
  for (uint32_t i = first; i <= last; ++i) wanted += datagram.have[i] == 0;
  if (wanted > free_pages_.size()) return false;
  for (uint32_t i = first; i <= last; ++i) {
    if (datagram.have[i] != 0) continue;
    datagram.page[i] = free_pages_.back();
    free_pages_.pop_back();
    starts_[datagram.page[i]] = 0;
  }
  datagram.pages += static_cast<uint32_t>(wanted);
  return true;
}

FragmentStore::Outcome FragmentStore::Put(Datagram& datagram, uint32_t offset, const uint8_t* data,
                                          uint32_t size) {
  const uint32_t end = offset + size;
  const FragmentPlace place = {offset / Datagram::kUnit,
                               (end + Datagram::kUnit - 1) / Datagram::kUnit};
  if (!TakePages(datagram, place)) return Outcome::kNoMemory;
  const Piece piece = {data, offset, size, place};
  const uint32_t units_before = datagram.units;
  bool met_old = false, met_new = false, differs = false, writing = false;
  for (uint32_t at = place.start; at < place.end;) {
    const bool is_old = Has(datagram, at);
    const uint32_t stop = EndOfRun(datagram, at, place.end);
    bool write = !is_old;
    if (is_old) {
      const FragmentPlace old = OldAround(datagram, at);
      differs = differs || Differs(datagram, piece, at, stop);
      write = NewFragmentWins(policy_, old, place);
      if (write && old.end > place.end) MarkStart(datagram, place.end);  // what is left of it
    }
    if (write) Write(datagram, piece, at, stop);
    if (write && !writing) MarkStart(datagram, at);
    writing = write;
    (is_old ? met_old : met_new) = true;
    at = stop;
  }
  datagram.end = std::max(datagram.end, end);
  const bool progress = units_before != 0 && datagram.units != units_before;
  shares_.Grew(IndexOf(datagram), datagram.pages, progress);
  if (differs) return Outcome::kConflict;
  return met_old && met_new ? Outcome::kOverlap : Outcome::kNew;
}

void FragmentStore::Write(Datagram& datagram, const Piece& piece, uint32_t first, uint32_t last) {
  for (uint32_t at = first; at < last;) {
    const uint32_t index = at / kPageUnits, base = index * kPageUnits;
    const uint32_t stop = std::min(last, base + kPageUnits);
    const uint64_t mask = UnitMask(at - base, stop - base);
    std::memcpy(UnitAt(datagram, at), piece.At(at), piece.Bytes(at, stop));
    starts_[datagram.page[index]] &= ~mask;
    datagram.units += static_cast<uint32_t>(std::popcount(mask & ~datagram.have[index]));
    datagram.have[index] |= mask;
    at = stop;
  }
}

bool FragmentStore::Differs(const Datagram& datagram, const Piece& piece, uint32_t first,
                            uint32_t last) const {
  for (uint32_t at = first; at < last;) {
    const uint32_t stop = std::min(last, (at / kPageUnits + 1) * kPageUnits);
    if (std::memcmp(UnitAt(datagram, at), piece.At(at), piece.Bytes(at, stop)) != 0) return true;
    at = stop;
  }
  return false;
}

void FragmentStore::MarkStart(Datagram& datagram, uint32_t unit) {
  starts_[datagram.page[unit / kPageUnits]] |= uint64_t{1} << unit % kPageUnits;
}

// What is left of the fragment that the unit is from.
FragmentPlace FragmentStore::OldAround(const Datagram& datagram, uint32_t unit) const {
  uint32_t page = unit / kPageUnits;
  uint64_t starts = starts_[datagram.page[page]] & UnitMask(0, unit % kPageUnits + 1);
  while (starts == 0) starts = starts_[datagram.page[--page]];
  const uint32_t start = page * kPageUnits + static_cast<uint32_t>(std::bit_width(starts)) - 1;
  return {start, EndOfRun(datagram, unit, kUnits)};
}

// Where the old fragment, or the gap, that the unit is in ends; `limit` if that comes first.
uint32_t FragmentStore::EndOfRun(const Datagram& datagram, uint32_t unit, uint32_t limit) const {
  const bool is_old = Has(datagram, unit);
  for (uint32_t at = unit + 1; at < limit;) {
    const uint32_t page = at / kPageUnits;
    const uint64_t have = datagram.have[page];
    uint64_t stops = have;
    if (is_old) stops = have == 0 ? ~uint64_t{0} : ~have | starts_[datagram.page[page]];
    stops &= ~uint64_t{0} << at % kPageUnits;
    const uint32_t base = page * kPageUnits;
    if (stops != 0) return std::min(limit, base + static_cast<uint32_t>(std::countr_zero(stops)));
    at = base + kPageUnits;
  }
  return limit;
}

Datagram* FragmentStore::Victim() {
  const uint32_t index = shares_.Victim();
  return index == FragmentShares::kNone ? nullptr : &datagrams_[index];
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
         starts_.capacity() * sizeof(uint64_t) +
         (free_datagrams_.capacity() + buckets_.capacity() + free_pages_.capacity()) *
             sizeof(uint32_t) +
         shares_.memory_bytes();
}

}  // namespace weir

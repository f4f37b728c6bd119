#include "engine/flow/tunnel_table.h"

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weir {
namespace {

// Kinds of numbers that say it all: the top four bits.
enum : uint32_t {
  kVlanOne = 1u << 28,
  kVlanTwo = 2u << 28,
  kPppoe = 3u << 28,
  kVlanPppoe = 4u << 28
};
constexpr uint32_t kKindMask = 0xf000'0000;

uint32_t Load16(const uint8_t* bytes) { return static_cast<uint32_t>(bytes[0] << 8 | bytes[1]); }

bool Is(const uint8_t* element, PathElement kind) {
  return element[0] == static_cast<uint8_t>(kind);
}

void Append16(TunnelPath& path, PathElement kind, uint32_t value) {
  const uint8_t bytes[2] = {static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
  path.Append(kind, bytes, 2);
}

bool Equal(const TunnelPath& left, const TunnelPath& right) {
  return left.length == right.length && std::memcmp(left.bytes, right.bytes, left.length) == 0;
}

}  // namespace

size_t TunnelTable::MemoryBytes(uint32_t capacity) {
  return Arena::Bytes<uint32_t>(capacity) + Arena::Bytes<Entry>(capacity);
}

TunnelTable::TunnelTable(uint32_t capacity, uint64_t seed, Arena& arena)
    : capacity_(capacity),
      seed_(seed),
      chains_(arena.Take<uint32_t>(capacity)),
      entries_(arena.Take<Entry>(capacity)) {}

std::optional<uint32_t> TunnelTable::Encode(const TunnelPath& path) {
  const uint8_t* first = path.bytes;
  const uint8_t* second = path.bytes + 3;
  if (path.length == 0) return 0;
  if (path.length == 3 && Is(first, PathElement::kVlan)) return kVlanOne | Load16(first + 1);
  if (path.length == 3 && Is(first, PathElement::kPppoeSession)) return kPppoe | Load16(first + 1);
  if (path.length == 6 && Is(first, PathElement::kVlan) && Is(second, PathElement::kVlan)) {
    return kVlanTwo | Load16(first + 1) << 12 | Load16(second + 1);
  }
  if (path.length == 6 && Is(first, PathElement::kVlan) && Is(second, PathElement::kPppoeSession)) {
    return kVlanPppoe | Load16(first + 1) << 16 | Load16(second + 1);
  }
  return std::nullopt;
}

void TunnelTable::PathOf(uint32_t id, TunnelPath& path) const {
  path.Clear();
  if ((id & kEntryBit) != 0) {
    path = entries_[id & ~kEntryBit].path;
    return;
  }
  switch (id & kKindMask) {
    case kVlanOne:
      Append16(path, PathElement::kVlan, id & 0xfff);
      break;
    case kVlanTwo:
      Append16(path, PathElement::kVlan, id >> 12 & 0xfff);
      Append16(path, PathElement::kVlan, id & 0xfff);
      break;
    case kPppoe:
      Append16(path, PathElement::kPppoeSession, id & 0xffff);
      break;
    case kVlanPppoe:
      Append16(path, PathElement::kVlan, id >> 16 & 0xfff);
      Append16(path, PathElement::kPppoeSession, id & 0xffff);
      break;
    default:
      break;
  }
}

uint32_t TunnelTable::ChainOf(const TunnelPath& path) const {
  return static_cast<uint32_t>(XXH3_64bits_withSeed(path.bytes, path.length, seed_) % capacity_);
}

uint32_t TunnelTable::FindEntry(uint32_t chain, const TunnelPath& path) const {
  for (uint32_t link = chains_[chain]; link != 0; link = entries_[link - 1].next) {
    if (Equal(entries_[link - 1].path, path)) return link - 1;
  }
  return kNone;
}

std::optional<uint32_t> TunnelTable::Find(const TunnelPath& path) const {
  if (const auto encoded = Encode(path)) return encoded;
  const uint32_t entry = FindEntry(ChainOf(path), path);
  if (entry == kNone) return std::nullopt;
  return entry | kEntryBit;
}

std::optional<uint32_t> TunnelTable::Acquire(const TunnelPath& path) {
  if (const auto encoded = Encode(path)) return encoded;
  const uint32_t chain = ChainOf(path);
  uint32_t entry = FindEntry(chain, path);
  if (entry == kNone) {
    entry = TakeEntry();
    if (entry == kNone) return std::nullopt;
    entries_[entry] = {0, chains_[chain], path};
    chains_[chain] = entry + 1;
    ++in_use_;
  }
  ++entries_[entry].uses;
  return entry | kEntryBit;
}

uint32_t TunnelTable::TakeEntry() {
  if (free_ != 0) {
    const uint32_t entry = free_ - 1;
    free_ = entries_[entry].next;
    return entry;
  }
  return taken_ < capacity_ ? taken_++ : kNone;
}

void TunnelTable::Free(uint32_t entry) {
  uint32_t* link = &chains_[ChainOf(entries_[entry].path)];
  while (*link != entry + 1) link = &entries_[*link - 1].next;
  *link = entries_[entry].next;
  entries_[entry].next = free_;
  free_ = entry + 1;
  --in_use_;
}

void TunnelTable::Use(uint32_t id) {
  if ((id & kEntryBit) != 0) ++entries_[id & ~kEntryBit].uses;
}

void TunnelTable::Drop(uint32_t id) {
  if ((id & kEntryBit) == 0) return;
  const uint32_t entry = id & ~kEntryBit;
  if (--entries_[entry].uses == 0) Free(entry);
}

}  // namespace weir

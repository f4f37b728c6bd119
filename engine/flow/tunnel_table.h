// Gives each tunnel identity a number of 32 bits, so that a flow's key stays short and exact.
//
// VLAN stacks of up to two tags and a PPPoE session (with up to one tag) are encoded in the number
// itself. Everything else has an entry here, compared byte for byte and counted by the flows that
// use it; an entry that no flow uses is free again. Thread: one. Memory: the arena's.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/packet/arena.h"
#include "engine/packet/tunnel_path.h"

namespace weir {

class TunnelTable {
 public:
  static size_t MemoryBytes(uint32_t capacity);
  TunnelTable(uint32_t capacity, uint64_t seed, Arena& arena);

  // The number of `path`, with one use taken (give it back with Drop); nothing when the table is
  // full.
  std::optional<uint32_t> Acquire(const TunnelPath& path);
  // The number of `path` if it has one.
  std::optional<uint32_t> Find(const TunnelPath& path) const;
  // Writes the path that `id` stands for.
  void PathOf(uint32_t id, TunnelPath& path) const;

  static bool IsCounted(uint32_t id) { return (id & kEntryBit) != 0; }
  // Of numbers that are not counted they do nothing.
  void Use(uint32_t id);   // one more use
  void Drop(uint32_t id);  // one use less; at none the entry is free

  uint32_t entries_in_use() const { return in_use_; }
  uint32_t capacity() const { return capacity_; }

 private:
  struct Entry {
    uint32_t uses;
    uint32_t next;  // entry + 1 of the next in its chain or in the free list; 0 = last
    TunnelPath path;
  };
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kEntryBit = 0x8000'0000;

  static std::optional<uint32_t> Encode(const TunnelPath& path);
  uint32_t ChainOf(const TunnelPath& path) const;
  uint32_t FindEntry(uint32_t chain, const TunnelPath& path) const;
  uint32_t TakeEntry();
  void Free(uint32_t entry);

  uint32_t capacity_;
  uint64_t seed_;
  uint32_t in_use_ = 0;
  uint32_t taken_ = 0;  // entries that were ever given out
  uint32_t free_ = 0;   // entry + 1 of the first that was given back; 0 = none
  uint32_t* chains_;    // capacity_ heads, entry + 1; 0 = empty
  Entry* entries_;
};

}  // namespace weir

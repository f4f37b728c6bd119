// The flow table: where a flow's lines are, found by key in two prefetched cache lines.
//
// An index of groups, one cache line each, holds twelve pairs of an 8-bit tag and a slot; the slot
// numbers the parallel arrays (hot lines, cold lines, addresses, timers...), which are as long as
// there may be flows. A group that is full spills into the next one and counts what it spilled, so
// that nothing is ever moved and no tombstones are left; two thirds of the entries are used at
// most, so that one or two flows in a hundred stand outside their home group. A tag is 8 bits of
// the hash; a match is always followed by a comparison of the whole key. Short tags keep the index
// small: it is what each packet touches beside its hot line.
//
// Freed slots are used again last in, first out: their lines are still in the cache.
//
// Thread: one. Memory: the arena's; nothing allocates after Create.
#pragma once

#include <cstdint>

#include "engine/flow/flow_line.h"
#include "engine/packet/arena.h"
#include "rings/prefetch.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weir {

inline constexpr uint32_t kNoSlot = UINT32_MAX;

// A packet's key, ready to be looked up.
struct PreparedKey {
  CompactKey key;
  uint64_t hash = 0;
  uint8_t protocol = 0;
  AddressFamily family = AddressFamily::kNone;  // kNone: no key, the packet is not tracked
  uint8_t side = 0;                             // which side of the key sent the packet
  uint8_t spare = 0;                            // the four are written as one word
  const uint8_t* address_a = nullptr;  // of side A and B, in the packet; read for IPv6 and MAC only
  const uint8_t* address_b = nullptr;
};

class FlowTable {
 public:
  static constexpr uint32_t kEntriesPerGroup = 12;
  static constexpr uint32_t kFlowsPerGroup = 8;  // on average, when the table is full

  // A cache line of the index.
  struct alignas(64) Group {
    uint8_t tags[kEntriesPerGroup];  // 0 = free
    uint16_t spilled;                // flows that went past this group
    uint16_t spare;
    uint32_t slots[kEntriesPerGroup];
  };
  static_assert(sizeof(Group) == 64);

  static uint32_t GroupsFor(uint32_t max_flows) {
    return (max_flows + kFlowsPerGroup - 1) / kFlowsPerGroup + 1;
  }
  static size_t MemoryBytes(uint32_t max_flows);

  FlowTable(uint32_t max_flows, Arena& arena);

  uint32_t slots() const { return max_flows_; }
  uint32_t size() const { return size_; }
  uint32_t capacity() const { return max_flows_; }
  bool full() const { return size_ == max_flows_; }

  // The home group of a key; asks for its line.
  const Group& PrefetchGroup(uint64_t hash) const {
    const Group& group = groups_[GroupOf(hash)];
    PrefetchToWrite(&group);
    return group;
  }

  // The slot of the first entry of the key's home group whose tag matches: where the flow most
  // likely is. Asks for the hot lines of all entries that match. kNoSlot when there is none.
  // Read-only: an answer from before an Insert or Erase is a hint.
  uint32_t Guess(const Group& group, uint64_t hash) const {
    uint32_t matches = Matches(group, TagOf(hash));
    if (matches == 0) return kNoSlot;
    const uint32_t slot = group.slots[static_cast<uint32_t>(__builtin_ctz(matches))];
    PrefetchToWrite(&hot_[slot]);
    for (matches &= matches - 1; matches != 0; matches &= matches - 1) [[unlikely]] {
        PrefetchToWrite(&hot_[group.slots[__builtin_ctz(matches)]]);
      }
    return slot;
  }

  bool Holds(uint32_t slot, const PreparedKey& key) const {
    const FlowHot& hot = hot_[slot];
    uint64_t left[2], right[2];
    __builtin_memcpy(left, &hot.key, 16);
    __builtin_memcpy(right, &key.key, 16);
    const bool equal = ((left[0] ^ right[0]) | (left[1] ^ right[1])) == 0 &&
                       hot.protocol == key.protocol && hot.family == key.family;
    return equal && (key.family == AddressFamily::kIpv4 || SameAddresses(slot, key));
  }

  // Of an IPv6 or MAC key; asked for by PrefetchAddresses.
  bool SameAddresses(uint32_t slot, const PreparedKey& key) const {
    if (key.family != AddressFamily::kIpv6) [[unlikely]]
      return SameMacs(slot, key);
    const FlowAddresses& known = addresses_[slot];
    return (Differ16(known.a, key.address_a) | Differ16(known.b, key.address_b)) == 0;
  }
  void PrefetchAddresses(uint32_t slot) const { PrefetchToRead(&addresses_[slot]); }

  // The slot of the flow with this key, or kNoSlot.
  uint32_t Find(const PreparedKey& key) const;

  // Takes a slot for a key that Find did not find; !full() is required. The hot line's key is set,
  // all else in the lines is as the last flow left it.
  uint32_t Insert(const PreparedKey& key);

  // Frees the slot. `hash` is the key's: see HashOf.
  void Erase(uint32_t slot, uint64_t hash);

  bool used(uint32_t slot) const { return hot_[slot].family != AddressFamily::kNone; }
  FlowHot& hot(uint32_t slot) { return hot_[slot]; }
  const FlowHot& hot(uint32_t slot) const { return hot_[slot]; }
  FlowCold& cold(uint32_t slot) { return cold_[slot]; }
  const FlowCold& cold(uint32_t slot) const { return cold_[slot]; }
  const FlowAddresses& addresses(uint32_t slot) const { return addresses_[slot]; }

  uint32_t spilled() const { return spilled_; }  // flows that stand outside their home group

 private:
  static uint8_t TagOf(uint64_t hash) {
    const auto tag = static_cast<uint8_t>(hash >> 56);
    return tag == 0 ? 1 : tag;
  }
  uint32_t GroupOf(uint64_t hash) const {
    return static_cast<uint32_t>(
        (static_cast<uint64_t>(static_cast<uint32_t>(hash)) * groups_count_) >> 32);
  }
  uint32_t Next(uint32_t group) const { return group + 1 == groups_count_ ? 0 : group + 1; }

  // Bit i is set where tags[i] == tag.
  static uint32_t Matches(const Group& group, uint8_t tag) {
#if defined(__SSE2__)
    const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(&group));
    const __m128i equal = _mm_cmpeq_epi8(tags, _mm_set1_epi8(static_cast<char>(tag)));
    return static_cast<uint32_t>(_mm_movemask_epi8(equal)) & ((1u << kEntriesPerGroup) - 1);
#else
    uint32_t matches = 0;
    for (uint32_t i = 0; i < kEntriesPerGroup; ++i) matches |= uint32_t{group.tags[i] == tag} << i;
    return matches;
#endif
  }

  // 0 where 16 bytes are equal.
  static uint64_t Differ16(const uint8_t* left, const uint8_t* right) {
    uint64_t l[2], r[2];
    __builtin_memcpy(l, left, sizeof l);
    __builtin_memcpy(r, right, sizeof r);
    return (l[0] ^ r[0]) | (l[1] ^ r[1]);
  }

  uint32_t TakeSlot();
  static bool RemoveFrom(Group& group, uint8_t tag, uint32_t slot);
  bool SameMacs(uint32_t slot, const PreparedKey& key) const;

  uint32_t max_flows_;
  uint32_t groups_count_;
  uint32_t size_ = 0;
  uint32_t spilled_ = 0;
  uint32_t unused_ = 0;       // slots from here on were never taken
  uint32_t freed_ = kNoSlot;  // the last slot that was freed; each names the one before in its key
  Group* groups_;
  FlowHot* hot_;
  FlowCold* cold_;
  FlowAddresses* addresses_;
};

}  // namespace weir

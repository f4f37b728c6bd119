#include "engine/flow/flow_table.h"

#include <cstring>

#include "rings/prefetch.h"

namespace weir {
namespace {

size_t AddressBytes(AddressFamily family) { return family == AddressFamily::kIpv6 ? 16 : 6; }

}  // namespace

size_t FlowTable::MemoryBytes(uint32_t max_flows) {
  const size_t slots = max_flows;
  return Arena::Bytes<Group>(GroupsFor(max_flows)) + Arena::Bytes<FlowHot>(slots) +
         Arena::Bytes<FlowCold>(slots) + Arena::Bytes<FlowAddresses>(slots);
}

FlowTable::FlowTable(uint32_t max_flows, Arena& arena)
    : max_flows_(max_flows),
      groups_count_(GroupsFor(max_flows)),
      groups_(arena.Take<Group>(groups_count_)),
      hot_(arena.Take<FlowHot>(slots())),
      cold_(arena.Take<FlowCold>(slots())),
      addresses_(arena.Take<FlowAddresses>(slots())) {}

bool FlowTable::SameMacs(uint32_t slot, const PreparedKey& key) const {
  const size_t bytes = AddressBytes(key.family);
  return std::memcmp(addresses_[slot].a, key.address_a, bytes) == 0 &&
         std::memcmp(addresses_[slot].b, key.address_b, bytes) == 0;
}

uint32_t FlowTable::Find(const PreparedKey& key) const {
  const uint8_t tag = TagOf(key.hash);
  uint32_t index = GroupOf(key.hash);
  for (uint32_t probed = 0; probed < groups_count_; ++probed, index = Next(index)) {
    const Group& group = groups_[index];
    for (uint32_t matches = Matches(group, tag); matches != 0; matches &= matches - 1) {
      const uint32_t slot = group.slots[__builtin_ctz(matches)];
      if (Holds(slot, key)) return slot;
    }
    if (group.spilled == 0) break;
  }
  return kNoSlot;
}

uint32_t FlowTable::TakeSlot() {
  if (freed_ == kNoSlot) return unused_++;
  const uint32_t slot = freed_;
  freed_ = hot_[slot].key.a;
  if (freed_ != kNoSlot) {  // the next flow's lines
    PrefetchToWrite(&hot_[freed_]);
    PrefetchToWrite(&cold_[freed_]);
  }
  return slot;
}

uint32_t FlowTable::Insert(const PreparedKey& key) {
  uint32_t index = GroupOf(key.hash);
  uint32_t free = Matches(groups_[index], 0);
  if (free == 0) ++spilled_;
  while (free == 0) {
    ++groups_[index].spilled;
    index = Next(index);
    free = Matches(groups_[index], 0);
  }
  const uint32_t slot = TakeSlot();
  const auto entry = static_cast<uint32_t>(__builtin_ctz(free));
  groups_[index].tags[entry] = TagOf(key.hash);
  groups_[index].slots[entry] = slot;
  ++size_;

  FlowHot& hot = hot_[slot];
  hot.key = key.key;
  hot.protocol = key.protocol;
  hot.family = key.family;
  if (key.family != AddressFamily::kIpv4) {
    FlowAddresses& addresses = addresses_[slot];
    std::memset(&addresses, 0, sizeof addresses);
    std::memcpy(addresses.a, key.address_a, AddressBytes(key.family));
    std::memcpy(addresses.b, key.address_b, AddressBytes(key.family));
  }
  return slot;
}

void FlowTable::Erase(uint32_t slot, uint64_t hash) {
  const uint32_t home = GroupOf(hash);
  uint32_t index = home;
  while (!RemoveFrom(groups_[index], TagOf(hash), slot)) {
    --groups_[index].spilled;
    index = Next(index);
  }
  if (index != home) --spilled_;
  hot_[slot].family = AddressFamily::kNone;
  hot_[slot].key.a = freed_;
  freed_ = slot;
  --size_;
}

bool FlowTable::RemoveFrom(Group& group, uint8_t tag, uint32_t slot) {
  for (uint32_t matches = Matches(group, tag); matches != 0; matches &= matches - 1) {
    const int entry = __builtin_ctz(matches);
    if (group.slots[entry] != slot) continue;
    group.tags[entry] = 0;
    return true;
  }
  return false;
}

}  // namespace weir

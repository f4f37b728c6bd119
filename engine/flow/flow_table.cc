#include "engine/flow/flow_table.h"

#include <cstring>

namespace weir {
namespace {

size_t AddressBytes(AddressFamily family) { return family == AddressFamily::kIpv6 ? 16 : 6; }

}  // namespace

size_t FlowTable::MemoryBytes(uint32_t max_flows) {
  const size_t groups = GroupsFor(max_flows);
  const size_t slots = groups * kSlotsPerGroup;
  return Arena::Bytes<Group>(groups) + Arena::Bytes<FlowHot>(slots) +
         Arena::Bytes<FlowCold>(slots) + Arena::Bytes<FlowAddresses>(slots);
}

FlowTable::FlowTable(uint32_t max_flows, Arena& arena)
    : max_flows_(max_flows),
      groups_count_(GroupsFor(max_flows)),
      groups_(arena.Take<Group>(groups_count_)),
      hot_(arena.Take<FlowHot>(slots())),
      cold_(arena.Take<FlowCold>(slots())),
      addresses_(arena.Take<FlowAddresses>(slots())) {}

bool FlowTable::SameAddresses(uint32_t slot, const PreparedKey& key) const {
  const size_t bytes = AddressBytes(key.family);
  return std::memcmp(addresses_[slot].a, key.address_a, bytes) == 0 &&
         std::memcmp(addresses_[slot].b, key.address_b, bytes) == 0;
}

uint32_t FlowTable::Find(const PreparedKey& key) const {
  const uint16_t tag = TagOf(key.hash);
  uint32_t group = GroupOf(key.hash);
  for (uint32_t probed = 0; probed < groups_count_; ++probed, group = Next(group)) {
    for (uint32_t matches = Matches(groups_[group], tag); matches != 0; matches &= matches - 1) {
      const uint32_t slot = group * kSlotsPerGroup + static_cast<uint32_t>(__builtin_ctz(matches));
      if (Holds(slot, key)) return slot;
    }
    if (groups_[group].spilled == 0) break;
  }
  return kNoSlot;
}

uint32_t FlowTable::Insert(const PreparedKey& key) {
  uint32_t group = GroupOf(key.hash);
  uint32_t free = Matches(groups_[group], 0);
  if (free == 0) ++spilled_;
  while (free == 0) {
    ++groups_[group].spilled;
    group = Next(group);
    free = Matches(groups_[group], 0);
  }
  const auto index = static_cast<uint32_t>(__builtin_ctz(free));
  const uint32_t slot = group * kSlotsPerGroup + index;
  groups_[group].tags[index] = TagOf(key.hash);
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
  const uint32_t home = slot / kSlotsPerGroup;
  uint32_t group = GroupOf(hash);
  if (group != home) --spilled_;
  for (; group != home; group = Next(group)) --groups_[group].spilled;
  groups_[home].tags[slot % kSlotsPerGroup] = 0;
  hot_[slot].family = AddressFamily::kNone;
  --size_;
}

}  // namespace weir

// What a shard counted per flow, and per address, in one interval: the tables of a Snapshot.
//
// Per flow: a dense array in the order of each flow's first packet. The flow's hot line holds its
// place in the array; the place is the flow's when the entry there names its slot and generation,
// and is below the count. So an empty table is one whose count is 0: nothing is cleared, and
// changing to it costs the shard nothing. A flow that ends leaves its entry, which has a key of its
// own.
//
// A flow that finds the array full is counted by packet: in kIp its two addresses in a bounded
// table, and what finds no room there in `other`; in kFlow in `other` at once. Sums are therefore
// exact whatever the limits.
//
// Thread: one side at a time. The shard's tracker counts, then the merger reads and clears; handing
// over is SnapshotQueue's. Memory: taken in Create; counting allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "engine/flow/flow_line.h"
#include "engine/packet/arena.h"
#include "engine/packet/tunnel_path.h"
#include "rings/prefetch.h"

namespace weir {

enum class CountBy : uint8_t { kIp, kFlow };

// Packets and wire bytes. Flows: [0] from the initiator, [1] from the responder. Addresses: [0]
// sent, [1] received. Plain sums.
struct TrafficCounts {
  std::array<uint64_t, 2> packets{};
  std::array<uint64_t, 2> bytes{};

  void Add(const TrafficCounts& other) {
    for (const size_t i : {0, 1}) {
      packets[i] += other.packets[i];
      bytes[i] += other.bytes[i];
    }
  }
  // What stands in `other` was added before.
  void Subtract(const TrafficCounts& other) {
    for (const size_t i : {0, 1}) {
      packets[i] -= other.packets[i];
      bytes[i] -= other.bytes[i];
    }
  }
  bool operator==(const TrafficCounts&) const = default;
};

// One flow. Arrays of two are by side of the key, as in FlowHot.
struct alignas(64) FlowDelta {
  CompactKey key;  // its tunnel number means something to its tracker only
  uint8_t protocol;
  AddressFamily family;
  uint8_t initiator;  // side
  uint32_t slot;      // FlowHandle
  uint32_t generation;
  uint64_t packets[2];
  uint64_t bytes[2];
};
static_assert(sizeof(FlowDelta) == 64);

// One address of flows that found no room. 4, 6 or 16 bytes are the family's, the rest 0.
struct alignas(64) AddressDelta {
  std::array<uint8_t, 16> address;
  TrafficCounts counts;
  AddressFamily family;  // kNone: the place is free
};
static_assert(sizeof(AddressDelta) == 64);

struct DeltaOptions {
  CountBy by = CountBy::kIp;
  uint32_t flows = 100'000;     // that have packets in one interval
  uint32_t addresses = 65'536;  // kIp: of flows beyond these
  uint64_t seed = 0;            // of the addresses' hash
};

class IntervalDeltas {
 public:
  static absl::StatusOr<std::unique_ptr<IntervalDeltas>> Create(const DeltaOptions& options);
  static size_t MemoryBytes(const DeltaOptions& options);

  CountBy by() const { return by_; }

  // The tracker's side. `place` is what the flow's hot line holds.
  FlowDelta* Find(uint32_t place, uint32_t slot, uint32_t generation) {
    if (place >= count_) return nullptr;
    FlowDelta& delta = flows_[place];
    return delta.slot == slot && delta.generation == generation ? &delta : nullptr;
  }
  void Prefetch(uint32_t place) const {
    if (place < count_) PrefetchToWrite(&flows_[place]);
  }
  // The lines that Append gives first.
  void PrefetchFirst() const {
    for (uint32_t i = 0; i < kAppendAhead && i < capacity_; ++i) PrefetchToWrite(&flows_[i]);
  }
  // A place for one more flow, its counts 0 and all else for the caller to set; null: full.
  FlowDelta* Append(uint32_t* place);
  // IPv6 and MAC pairs: the addresses of the flow at `place`.
  FlowAddresses& addresses(uint32_t place) { return addresses_[place]; }
  // kFlow, of a flow whose key has a tunnel.
  TunnelPath& tunnel(uint32_t place) { return tunnels_[place]; }
  // A packet of a flow that found no room. kIp; `source` and `destination` as in Packet.
  void PrefetchAddress(AddressFamily family, const uint8_t* address) const;
  void CountAddresses(AddressFamily family, const uint8_t* source, const uint8_t* destination,
                      uint32_t packets, uint64_t bytes);
  // kFlow.
  void CountOther(int direction, uint32_t packets, uint64_t bytes) {
    other_.packets[static_cast<size_t>(direction)] += packets;
    other_.bytes[static_cast<size_t>(direction)] += bytes;
  }

  // The merger's side.
  std::span<const FlowDelta> flows() const { return {flows_, count_}; }
  const FlowAddresses& addresses(uint32_t place) const { return addresses_[place]; }
  const TunnelPath& tunnel(uint32_t place) const { return tunnels_[place]; }
  // Places whose family is kNone are free.
  std::span<const AddressDelta> address_places() const {
    return {places_, address_count_ == 0 ? 0 : place_count_};
  }
  const TrafficCounts& other() const { return other_; }
  void Clear();

 private:
  static constexpr uint32_t kAppendAhead = 8;  // entries from a line's request to its writing

  IntervalDeltas(const DeltaOptions& options, Arena arena);
  static uint32_t PlacesFor(const DeltaOptions& options);
  uint32_t HomeOf(const std::array<uint8_t, 16>& address) const;
  void CountAddress(AddressFamily family, const uint8_t* address, size_t way, uint32_t packets,
                    uint64_t bytes);

  CountBy by_;
  uint32_t capacity_;
  uint32_t count_ = 0;
  uint32_t address_capacity_;
  uint32_t address_count_ = 0;
  uint32_t place_count_;  // a power of two, half of them used at most
  uint64_t seed_;
  TrafficCounts other_;
  Arena arena_;
  FlowDelta* flows_;
  FlowAddresses* addresses_;
  TunnelPath* tunnels_ = nullptr;   // kFlow
  AddressDelta* places_ = nullptr;  // kIp
};

}  // namespace weir

// Who holds how much of the fragment store, and whose datagram goes when it is full.
//
// A datagram weighs its slot and its pages, so that one who fills the slots and one who fills the
// bytes are measured alike. The victim is, in this order:
//
// 1. The oldest datagram of the heaviest sender, if a sender holds more than 1/kShares of what
// slots
//    and pages weigh together. A sender is a source address (IPv6: its /64, as any host can take
//    all addresses of it) on a tunnel path. As half of that weight is held when slots or pages run
//    out, a flood from fewer than kShares / 2 senders drives out nobody but itself.
// 2. Else, of the datagrams with one fragment so far, the oldest. Those that got another one stand
//    behind them, ordered by the last one that brought new bytes,
// 3. unless they hold more than half: then the first of them. Without this, two fragments each
// would
//    be enough to take all room until they time out.
//
// Against a flood of made-up senders, where each looks like a new honest one, the rest is time:
// with room for N datagrams, an honest one survives if no more than N / 2 of the flood's come
// between one of its fragments and the next (N, if all of them have one fragment or all have more).
// To refuse newcomers instead would shut out everyone after the first N, and to choose at random
// loses some at any rate. One who sends in the name of a host does harm to that host alone.
//
// Memory is taken at construction. Each call costs O(1), Victim() up to kShares steps. Thread: the
// shard's own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/packet/tunnel_path.h"

namespace weir {

struct SenderKey {
  uint16_t path_length = 0;
  uint8_t family = 0;
  uint8_t zero = 0;
  std::array<uint8_t, 8> address{};                 // IPv4: 4 bytes, zeros; IPv6: the network's 8
  std::array<uint8_t, TunnelPath::kCapacity> path;  // path_length bytes are valid

  size_t size() const { return offsetof(SenderKey, path) + path_length; }
  bool operator==(const SenderKey& other) const {
    return path_length == other.path_length && std::memcmp(this, &other, size()) == 0;
  }
};

// Datagrams are numbers below max_datagrams.
class FragmentShares {
 public:
  static constexpr uint32_t kShares = 64;
  static constexpr uint32_t kNone = UINT32_MAX;

  FragmentShares(uint32_t max_datagrams, uint32_t max_pages);

  void Add(uint32_t datagram, const SenderKey& sender);
  void Remove(uint32_t datagram);

  // It holds so many pages now. `progress`: a further fragment brought bytes that were missing.
  void Grew(uint32_t datagram, uint32_t pages, bool progress);
  // It holds no pages any more, and will not complete.
  void Emptied(uint32_t datagram);

  // Whose turn it is to go; kNone if there is no datagram.
  uint32_t Victim() const;

  size_t memory_bytes() const;

 private:
  struct Link {
    uint32_t older = kNone;
    uint32_t newer = kNone;
  };
  struct Entry {
    uint32_t sender = kNone;
    uint32_t weight = 0;
    bool moved_on = false;
    Link of_sender;
    Link of_stage;
  };
  struct List {
    uint32_t oldest = kNone;
    uint32_t youngest = kNone;
  };
  struct Stage {  // of datagrams with one fragment; of those with more
    List list;
    uint64_t weight = 0;
  };
  struct Sender {
    SenderKey key;
    uint64_t weight = 0;
    List datagrams;
    uint32_t heavy_place = kNone;  // in heavy_
    uint32_t next_in_bucket = kNone;
  };

  void Append(List& list, Link Entry::*link, uint32_t index);
  void Unlink(List& list, Link Entry::*link, uint32_t index);
  Stage& StageOf(const Entry& entry) { return stages_[entry.moved_on]; }
  void SetStage(uint32_t index, bool moved_on);
  void SetWeight(Entry& entry, uint32_t weight);
  void MarkHeavy(uint32_t sender, bool heavy);
  uint32_t FindOrAddSender(const SenderKey& key);
  void RemoveSender(uint32_t index);
  size_t BucketOf(const SenderKey& key) const;

  const uint32_t slot_weight_;  // so that all slots weigh what all pages do
  const uint64_t share_;
  std::vector<Entry> entries_;
  std::vector<Sender> senders_;
  std::vector<uint32_t> free_senders_;
  std::vector<uint32_t> buckets_;
  std::array<Stage, 2> stages_;
  std::array<uint32_t, kShares> heavy_;  // senders above a share: fewer than kShares
  uint32_t heavy_count_ = 0;
  uint64_t seed_;
};

}  // namespace weir

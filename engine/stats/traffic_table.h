// Traffic by address or by flow, in bounded memory, exact in sum: what finds no row goes to
// `other`.
//
// Plain sums: tables of shards, intervals and machines add up. Thread: one. Allocates as rows come;
// at most `most_rows` of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/flow/interval_deltas.h"
#include "engine/packet/flow_key.h"

namespace weir {

struct AddressRow {
  AddressFamily family = AddressFamily::kNone;
  std::array<uint8_t, 16> address{};  // the first 4, 6 or 16 bytes, network order

  bool operator==(const AddressRow&) const = default;
  auto operator<=>(const AddressRow&) const = default;
  template <typename H>
  friend H AbslHashValue(H hash, const AddressRow& row) {
    return H::combine(std::move(hash), row.family, row.address);
  }
};

struct FlowRow {
  FlowKey key;         // source is the initiator; `tunnel` is 0
  std::string tunnel;  // the bytes of the TunnelPath

  bool operator==(const FlowRow&) const = default;
  template <typename H>
  friend H AbslHashValue(H hash, const FlowRow& row) {
    return H::combine(std::move(hash), row.key.source, row.key.destination, row.key.source_port,
                      row.key.destination_port, row.key.protocol, row.tunnel);
  }
};

template <typename Row>
class TrafficTable {
 public:
  using Rows = absl::flat_hash_map<Row, TrafficCounts>;
  using Entry = typename Rows::value_type;

  explicit TrafficTable(size_t most_rows) : most_rows_(most_rows) {}

  void Prefetch(const Row& row) const { rows_.prefetch(row); }

  void Add(const Row& row, const TrafficCounts& counts) {
    if (rows_.size() < most_rows_) {
      rows_[row].Add(counts);
      return;
    }
    const auto found = rows_.find(row);
    (found == rows_.end() ? other_ : found->second).Add(counts);
  }
  void AddOther(const TrafficCounts& counts) { other_.Add(counts); }
  void Add(const TrafficTable& table) {
    for (const Entry& entry : table.rows_) Add(entry.first, entry.second);
    other_.Add(table.other_);
  }

  const Rows& rows() const { return rows_; }
  const TrafficCounts& other() const { return other_; }
  // Rows and other.
  TrafficCounts Sum() const {
    TrafficCounts sum = other_;
    for (const Entry& entry : rows_) sum.Add(entry.second);
    return sum;
  }

  // The `count` rows with most bytes, the largest first; nothing else is sorted. Pointers live
  // until the next Add.
  std::vector<const Entry*> Top(size_t count) const;

 private:
  size_t most_rows_;
  Rows rows_;
  TrafficCounts other_;
};

template <typename Row>
auto TrafficTable<Row>::Top(size_t count) const -> std::vector<const Entry*> {
  const auto larger = [](const Entry* a, const Entry* b) {
    return a->second.bytes[0] + a->second.bytes[1] > b->second.bytes[0] + b->second.bytes[1];
  };
  std::vector<const Entry*> top;  // a heap, the smallest in front
  top.reserve(std::min(count, rows_.size()));
  for (const Entry& entry : rows_) {
    if (top.size() == count) {
      if (count == 0 || !larger(&entry, top.front())) continue;
      std::pop_heap(top.begin(), top.end(), larger);
      top.pop_back();
    }
    top.push_back(&entry);
    std::push_heap(top.begin(), top.end(), larger);
  }
  std::sort_heap(top.begin(), top.end(), larger);
  return top;
}

using AddressTable = TrafficTable<AddressRow>;
using FlowRowTable = TrafficTable<FlowRow>;

}  // namespace weir

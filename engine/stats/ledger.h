// The ledger: every frame ends in exactly one named counter, and the sum is checked.
//
//   received = filtered{reason} + duplicate + not_ip + malformed{reason} + shed{reason}
//              + fragment_held + fragment_dropped{reason} + tracked
//
// in this order of precedence; and TCP payload in its own, see StreamCounters. Thread: one ledger
// per shard, written by the shard only; a copy is a snapshot. Plain sums, so ledgers of shards,
// intervals and machines add up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/packet/verdict.h"
#include "engine/tcp/stream_counters.h"
#include "rings/filter_reason.h"

namespace weir {

struct Ledger {
  uint64_t received = 0;
  uint64_t received_bytes = 0;  // wire lengths
  FilterCounts filtered{};
  uint64_t duplicate = 0;
  uint64_t not_ip = 0;
  std::array<uint64_t, kMalformedReasons> malformed{};
  std::array<uint64_t, kShedReasons> shed{};
  uint64_t fragment_held = 0;  // of datagrams that are not complete yet
  std::array<uint64_t, kFragmentDropReasons> fragment_dropped{};
  uint64_t tracked = 0;
  uint64_t tracked_bytes = 0;  // wire lengths

  // Faults behind the ports, in packets that were tracked all the same.
  std::array<uint64_t, kAnomalies> anomaly{};

  StreamCounters streams;  // zeros where streams are not reassembled

  uint64_t ledger_errors = 0;  // times that Balanced() was found false: a bug of ours

  uint64_t FilteredTotal() const;
  uint64_t MalformedTotal() const;
  uint64_t ShedTotal() const;
  uint64_t FragmentDroppedTotal() const;
  uint64_t Accounted() const;
  bool Balanced() const { return Accounted() == received && streams.Balanced(); }
  void Add(const Ledger& other);
};

}  // namespace weir

// The ledger as rows for a person: what is zero is left out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/stats/ledger.h"

namespace weir {

struct LedgerRow {
  std::string name;  // as in EVE and Prometheus, so that one finds it again there
  uint64_t count;
  bool reason;  // a part of the row above
};

// Where the frames went, in the ledger's order: what is not zero, each reason behind its sum.
std::vector<LedgerRow> LedgerRows(const Ledger& ledger);

// Why a filter refused frames.
std::vector<LedgerRow> FilterRows(const FilterCounts& counts);

// Where the payload of TCP went, likewise: bytes.
std::vector<LedgerRow> StreamRows(const StreamCounters& streams);

// Bytes that were announced as lost, by reason.
std::vector<LedgerRow> LostRows(const StreamCounters& streams);

// Faults in packets that were tracked all the same.
std::vector<LedgerRow> AnomalyRows(const Ledger& ledger);

}  // namespace weir

#include "tools/weir/ledger_rows.h"

namespace weir {
namespace {

template <typename Reason, size_t kCount>
void AddReasons(const std::array<uint64_t, kCount>& counts, std::vector<LedgerRow>& rows) {
  for (size_t i = 0; i < kCount; ++i) {
    if (counts[i] > 0) rows.push_back({std::string(Name(static_cast<Reason>(i))), counts[i], true});
  }
}

void AddSum(std::string name, uint64_t count, std::vector<LedgerRow>& rows) {
  if (count > 0) rows.push_back({std::move(name), count, false});
}

}  // namespace

std::vector<LedgerRow> LedgerRows(const Ledger& ledger) {
  std::vector<LedgerRow> rows;
  AddSum("filtered", ledger.FilteredTotal(), rows);
  AddReasons<FilterReason>(ledger.filtered, rows);
  AddSum("duplicate", ledger.duplicate, rows);
  AddSum("not_ip", ledger.not_ip, rows);
  AddSum("malformed", ledger.MalformedTotal(), rows);
  AddReasons<Malformed>(ledger.malformed, rows);
  AddSum("shed", ledger.ShedTotal(), rows);
  AddReasons<Shed>(ledger.shed, rows);
  AddSum("fragment_held", ledger.fragment_held, rows);
  AddSum("fragment_dropped", ledger.FragmentDroppedTotal(), rows);
  AddReasons<FragmentDrop>(ledger.fragment_dropped, rows);
  AddSum("tracked", ledger.tracked, rows);
  return rows;
}

std::vector<LedgerRow> FilterRows(const FilterCounts& counts) {
  std::vector<LedgerRow> rows;
  AddReasons<FilterReason>(counts, rows);
  return rows;
}

std::vector<LedgerRow> StreamRows(const StreamCounters& streams) {
  std::vector<LedgerRow> rows;
  AddSum("delivered", streams.delivered, rows);
  AddSum("retransmitted", streams.retransmitted, rows);
  AddSum("refused", streams.RefusedTotal(), rows);
  AddReasons<Refused>(streams.refused, rows);
  AddSum("buffered", streams.buffered, rows);
  return rows;
}

std::vector<LedgerRow> LostRows(const StreamCounters& streams) {
  std::vector<LedgerRow> rows;
  AddReasons<HoleReason>(streams.lost, rows);
  return rows;
}

std::vector<LedgerRow> AnomalyRows(const Ledger& ledger) {
  std::vector<LedgerRow> rows;
  AddReasons<Anomaly>(ledger.anomaly, rows);
  return rows;
}

}  // namespace weir

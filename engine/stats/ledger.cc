#include "engine/stats/ledger.h"

#include "engine/packet/reason_counts.h"

namespace weir {

uint64_t Ledger::FilteredTotal() const { return SumOf(filtered); }
uint64_t Ledger::MalformedTotal() const { return SumOf(malformed); }
uint64_t Ledger::ShedTotal() const { return SumOf(shed); }
uint64_t Ledger::FragmentDroppedTotal() const { return SumOf(fragment_dropped); }

uint64_t Ledger::Accounted() const {
  return FilteredTotal() + duplicate + not_ip + MalformedTotal() + ShedTotal() + fragment_held +
         FragmentDroppedTotal() + tracked;
}

void Ledger::Add(const Ledger& other) {
  received += other.received;
  received_bytes += other.received_bytes;
  AddEach(filtered, other.filtered);
  duplicate += other.duplicate;
  not_ip += other.not_ip;
  AddEach(malformed, other.malformed);
  AddEach(shed, other.shed);
  fragment_held += other.fragment_held;
  AddEach(fragment_dropped, other.fragment_dropped);
  tracked += other.tracked;
  tracked_bytes += other.tracked_bytes;
  AddEach(anomaly, other.anomaly);
  streams.Add(other.streams);
  ledger_errors += other.ledger_errors;
}

}  // namespace weir

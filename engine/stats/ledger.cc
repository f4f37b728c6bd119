#include "engine/stats/ledger.h"

#include <numeric>

namespace weir {
namespace {

template <size_t N>
uint64_t Sum(const std::array<uint64_t, N>& counters) {
  return std::accumulate(counters.begin(), counters.end(), uint64_t{0});
}

template <size_t N>
void AddEach(std::array<uint64_t, N>& to, const std::array<uint64_t, N>& from) {
  for (size_t i = 0; i < N; ++i) to[i] += from[i];
}

}  // namespace

uint64_t Ledger::MalformedTotal() const { return Sum(malformed); }
uint64_t Ledger::ShedTotal() const { return Sum(shed); }
uint64_t Ledger::FragmentDroppedTotal() const { return Sum(fragment_dropped); }

uint64_t Ledger::Accounted() const {
  return filtered + duplicate + not_ip + MalformedTotal() + ShedTotal() + fragment_held +
         FragmentDroppedTotal() + tracked;
}

void Ledger::Add(const Ledger& other) {
  received += other.received;
  received_bytes += other.received_bytes;
  filtered += other.filtered;
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

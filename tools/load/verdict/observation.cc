#include "tools/load/verdict/observation.h"

#include <algorithm>

namespace weir::load {

ObservedFlow& Observation::Flow(uint32_t number) {
  if (number >= flows.size()) flows.resize(std::max<size_t>(size_t{number} + 1, 2 * flows.size()));
  return flows[number];
}

void Observation::AddWrong(const WrongByte& wrong_byte) {
  ++wrong_pieces;
  if (wrong.size() < kMostListed) wrong.push_back(wrong_byte);
}

void Observation::Add(const Observation& other) {
  if (other.flows.size() > flows.size()) flows.resize(other.flows.size());
  for (size_t i = 0; i < other.flows.size(); ++i) {
    const ObservedFlow& from = other.flows[i];
    ObservedFlow& to = flows[i];
    for (size_t side = 0; side < 2; ++side) {
      to.wire_bytes[side] += from.wire_bytes[side];
      to.delivered[side] += from.delivered[side];
      to.holes[side] += from.holes[side];
      to.packets[side] += from.packets[side];
    }
    to.records += from.records;
    to.conflicts += from.conflicts;
  }
  flood_records += other.flood_records;
  unknown_records += other.unknown_records;
  checked_bytes += other.checked_bytes;
  displaced_pieces += other.displaced_pieces;
  probes += other.probes;
  delays.Add(other.delays);
  const uint64_t pieces = wrong_pieces + other.wrong_pieces;
  for (const WrongByte& wrong_byte : other.wrong) AddWrong(wrong_byte);
  wrong_pieces = pieces;
}

}  // namespace weir::load

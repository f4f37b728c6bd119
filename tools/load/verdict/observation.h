// What came out of an engine, by the numbers of the flows that went in.
//
// A plain sum: observations of shards add up. Thread: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/stats/delay_histogram.h"

namespace weir::load {

// Index 0: from the initiator, as the sender knows it.
struct ObservedFlow {
  std::array<uint64_t, 2> wire_bytes{};
  std::array<uint64_t, 2> delivered{};  // TCP: stream bytes; datagrams: payload bytes
  std::array<uint64_t, 2> holes{};      // TCP: bytes announced as lost
  std::array<uint32_t, 2> packets{};
  uint32_t records = 0;    // final ones; one flow should have one
  uint32_t conflicts = 0;  // contradictions that were told; the traffic has none
};

// A delivered byte that is not the one that was sent.
struct WrongByte {
  uint32_t flow = 0;
  int direction = 0;
  uint64_t offset = 0;  // in the stream, or in the datagram's direction
  uint64_t size = 0;    // of the piece that it was found in
};

struct Observation {
  static constexpr size_t kMostListed = 16;

  std::vector<ObservedFlow> flows;  // by number; shorter where the last ones were not seen
  uint64_t flood_records = 0;       // of one-packet flows of floods
  uint64_t unknown_records = 0;     // of flows that nobody sent
  uint64_t checked_bytes = 0;       // compared with what was sent, each one
  uint64_t wrong_pieces = 0;        // deliveries in which a byte was wrong
  uint64_t displaced_pieces = 0;    // right bytes at a wrong place of their stream
  std::vector<WrongByte> wrong;     // the first of them
  uint64_t probes = 0;
  DelayHistogram delays;  // of probes: from leaving the sender to this observer

  ObservedFlow& Flow(uint32_t number);
  void AddWrong(const WrongByte& wrong_byte);
  void Add(const Observation& other);
};

}  // namespace weir::load

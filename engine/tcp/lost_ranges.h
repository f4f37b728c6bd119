// The holes that were given up, so that bytes that come too late for one are told from repetitions.
//
// The last kEntries of all streams are known, linked for each stream from its newest backwards; a
// stream is searched no farther than kMostSteps back. Older holes are forgotten: bytes that come
// for them count as repeated. Thread: one. Memory: the arena's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/packet/arena.h"

namespace weir {

class LostRanges {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr uint32_t kEntries = 16'384;
  static constexpr uint32_t kMostSteps = 64;

  void Init(Arena& arena) { entries_ = arena.Take<Entry>(kEntries); }
  static constexpr size_t MemoryBytes() { return Arena::Bytes<Entry>(kEntries); }

  // Notes a hole of a stream behind all others of it; `last` is the stream's newest entry.
  void Add(uint32_t stream, uint32_t& last, uint64_t begin, uint64_t end) {
    if (Known(stream, last) && At(last).end == begin) {
      At(last).end = end;
      return;
    }
    if (++serial_ == kNone) serial_ = 0;
    At(serial_) = {begin, end, stream, serial_, last};
    last = serial_;
  }

  // How many bytes of [begin, end) fell into holes.
  uint64_t Overlap(uint32_t stream, uint32_t last, uint64_t begin, uint64_t end) const {
    uint64_t sum = 0;
    for (uint32_t step = 0; step < kMostSteps && Known(stream, last); ++step) {
      const Entry& entry = At(last);
      if (entry.end <= begin) break;
      const uint64_t from = std::max(begin, entry.begin);
      const uint64_t to = std::min(end, entry.end);
      if (from < to) sum += to - from;
      last = entry.previous;
    }
    return sum;
  }

 private:
  struct Entry {
    uint64_t begin;
    uint64_t end;
    uint32_t stream;
    uint32_t serial;
    uint32_t previous;
  };

  Entry& At(uint32_t serial) { return entries_[serial % kEntries]; }
  const Entry& At(uint32_t serial) const { return entries_[serial % kEntries]; }
  bool Known(uint32_t stream, uint32_t serial) const {
    return serial != kNone && At(serial).serial == serial && At(serial).stream == stream;
  }

  Entry* entries_ = nullptr;
  uint32_t serial_ = 0;
};

}  // namespace weir

// What a reassembler is made with. All memory follows from these and is taken at start.
#pragma once

#include <cstdint>

#include "engine/packet/overlap_policy.h"

namespace weir {

struct StreamOptions {
  // Connections (two streams each) that may be open at once; 0 = as many as the flow table holds.
  // A connection that finds no room is refused whole, and counted.
  uint32_t max_connections = 0;

  // Bytes of memory for what waits: early segments, bytes held for a policy, kept tails, history.
  // Shared by all streams: when it runs short the stream that holds most gives up its first hole.
  uint64_t memory_bytes = 64u << 20;

  // What one stream may hold of it, in bytes and in pieces; 0 = no limit but the common one.
  uint64_t stream_bytes = 1u << 20;
  uint32_t stream_pieces = 4'096;

  // Packet time that a hole waits for its bytes; 0 = until the end. A stream's second hole may wait
  // up to twice as long.
  int64_t hole_timeout_ns = 30'000'000'000;
  // Packet time that a hole still waits once the receiver has acknowledged it: captures show
  // acknowledgements before the data that they acknowledge.
  int64_t acknowledged_grace_ns = 200'000'000;

  // With a policy by which later bytes can win, bytes in order are held until the receiver has
  // acknowledged them, so that the policy is the same for queued and for delivered bytes: what was
  // acknowledged is settled. kFirst holds nothing. Where memory runs out, or another limit forces a
  // stream on, what waited first wins.
  OverlapPolicy overlap = OverlapPolicy::kFirst;

  // Delivered bytes of each stream that are kept, so that retransmissions can be compared with
  // them: contradictions are found as far back as this. 0 = none, and no byte in order is copied.
  uint32_t history_bytes = 0;

  // Bytes of each stream that are delivered; what comes behind is Refused::kDepth. 0 = all.
  uint64_t depth = 0;

  // How far a sequence number may be from what is expected, or acknowledged, to be believed; what
  // is farther belongs to another connection (Refused::kOutOfWindow). RFC 7323 allows 1 GiB.
  uint32_t max_window = 64u << 20;
};

}  // namespace weir

// What a flow table and its tracker are made with. All memory follows from these and is taken at
// start.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/packet/decoder.h"
#include "engine/packet/flow_key.h"
#include "engine/tcp/stream_options.h"

namespace weir {

// Nanoseconds of silence after which a flow ends. Packet time, see FlowTracker.
struct Timeouts {
  static constexpr int64_t kSecond = 1'000'000'000;
  int64_t tcp_syn = 20 * kSecond;           // SYN sent, or answered but not acknowledged
  int64_t tcp_established = 300 * kSecond;  // handshake done, or joined in the middle and answered
  int64_t tcp_unanswered = 60 * kSecond;    // joined in the middle, one side heard
  int64_t tcp_closing = 60 * kSecond;       // FIN seen, not closed on both sides
  int64_t tcp_closed = 10 * kSecond;        // closed or reset: stays for late packets
  int64_t udp = 60 * kSecond;
  int64_t icmp = 30 * kSecond;
  int64_t other = 30 * kSecond;
  int64_t active = 0;  // an interim record each time a flow has lived this long; 0 = never
};

// An embedder's own part of the key: a number that is equal in both directions of a conversation (a
// customer, a port of the tap...), 0 for none. Called once per tracked packet by the shard's
// thread.
struct KeyExtension {
  uint64_t (*function)(void* context, const Frame& frame, const Packet& packet) = nullptr;
  void* context = nullptr;
};

struct FlowOptions {
  uint32_t max_flows = 100'000;
  // Different tunnel identities that need an entry of their own (IP tunnels; VLAN stacks of up to
  // two tags and PPPoE sessions need none). 0 = max_flows / 32, at least 1,024.
  uint32_t max_tunnels = 0;
  KeyKind key = KeyKind::kFiveTuple;
  KeyExtension extension;
  DecoderOptions decoder;     // how the packets were decoded: so are those that ICMP errors quote
  bool bidirectional = true;  // false: each direction is a flow (--uniflow)
  Timeouts timeouts;
  std::optional<StreamOptions> streams;  // TCP streams are reassembled
  // A packet with packet_flag::kBadChecksum is counted, and nothing else. A shard sets this by its
  // own checksum option.
  bool drop_bad_checksums = false;
  uint64_t seed = 0;  // of all hashes; 0 = taken from getrandom(2) at start
};

}  // namespace weir

// Puts IPv4 and IPv6 datagrams together again: RFC 791 section 3.2, RFC 8200 section 4.5, RFC 5722.
//
// Ownership: pieces are copied into a pool that is taken at construction. A completed datagram
// lives until Release. Thread: the shard's own. Time is packet time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/packet/decoder.h"
#include "engine/packet/overlap_policy.h"
#include "engine/packet/packet.h"
#include "rings/frame.h"

namespace weir {

struct DefragmentOptions {
  // Who gives way when these are reached: engine/packet/fragment_shares.h.
  uint32_t max_datagrams = 1'024;  // incomplete at once
  uint32_t max_bytes = 4u << 20;   // of their pieces
  // Since the first piece (RFC 791: 15 s and more; Linux: 30 s).
  int64_t timeout_ns = 30'000'000'000;
  // Of IPv4 fragments: the table in engine/packet/fragment_overlap.h. IPv6 knows but one rule.
  OverlapPolicy overlap = OverlapPolicy::kFirst;
};

struct FragmentCounters {
  uint64_t held = 0;       // fragments in datagrams that are incomplete now
  uint64_t completed = 0;  // datagrams
  // Fragments that covered a place that was filled, mere repetitions apart; and those of them that
  // brought other bytes for it. IPv6 datagrams are refused for either.
  uint64_t overlaps = 0;
  uint64_t conflicts = 0;
  std::array<uint64_t, kFragmentDropReasons> dropped{};  // fragments given up on
};

class Defragmenter {
 public:
  // `decoder` reads completed datagrams; it must outlive this object.
  Defragmenter(const DefragmentOptions& options, const Decoder& decoder);
  ~Defragmenter();
  Defragmenter(const Defragmenter&) = delete;
  Defragmenter& operator=(const Defragmenter&) = delete;

  // Takes each packet that is Verdict::kFragmentHeld. One that completes its datagram becomes the
  // decoded datagram (packet_flag::kDefragmented, held_packets and held_bytes set; it may be
  // kMalformed, or a fragment again where the inner packet of a tunnel is one: that one is put
  // together as well). The others stay held, or become kFragmentDropped. `now_ns` expires old ones
  // first.
  void Apply(std::span<const Frame> frames, std::span<Packet> packets, std::span<TunnelPath> paths,
             int64_t now_ns);

  // Frees the datagrams that the last Apply completed.
  void Release();

  void Expire(int64_t now_ns);  // the wire is silent
  void Flush();                 // no more frames: what is held is FragmentDrop::kEnd

  const FragmentCounters& counters() const;
  size_t memory_bytes() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir

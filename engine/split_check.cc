#include "engine/split_check.h"

#include <cstring>

#include "engine/packet/packet.h"

namespace weir {
namespace {

// A bijection in which every input bit reaches every output bit: MurmurHash3's last steps.
uint64_t Mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ x >> 33;
}

uint64_t HashOf(const std::array<uint8_t, 16>& address) {
  uint64_t first, second;
  std::memcpy(&first, address.data(), sizeof first);
  std::memcpy(&second, address.data() + sizeof first, sizeof second);
  return Mix(Mix(first) + second);
}

// What a shard calls a tunnel means something to it alone: the identifiers are the same for all.
uint64_t HashOf(const TunnelPath& tunnel) {
  uint64_t hash = tunnel.length;
  for (size_t i = 0; i < tunnel.length; ++i) hash = Mix(hash + tunnel.bytes[i]);
  return hash;
}

}  // namespace

void SplitCheck::Look(uint16_t shard, std::span<const Event> events, SplitCounters& counters) {
  for (const Event& event : events) {
    if (event.kind == EventKind::kFlowStarted) Note(shard, *event.record, counters);
  }
}

// Sums of what belongs to each side are the same for both directions.
void SplitCheck::Note(uint16_t shard, const FlowRecord& record, SplitCounters& counters) {
  const FlowKey& key = record.key;
  if (key.protocol != ip_protocol::kTcp && key.protocol != ip_protocol::kUdp) return;
  const uint64_t source = HashOf(key.source);
  const uint64_t destination = HashOf(key.destination);
  if ((Mix(source + destination) & mask_) != 0) return;
  const uint64_t ends = Mix(source + key.source_port) + Mix(destination + key.destination_port);
  switch (claims_.Take(Mix(ends + key.protocol) ^ HashOf(record.tunnel), shard)) {
    case ClaimTable::Claim::kFirst:
      ++counters.sampled;
      break;
    case ClaimTable::Claim::kDispute:
      ++counters.split;
      break;
    case ClaimTable::Claim::kOwn:
    case ClaimTable::Claim::kKnown:
      break;
  }
}

}  // namespace weir

#include "engine/tcp/stream_counters.h"

#include "engine/packet/reason_counts.h"
#include "engine/tcp/stream_sink.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, kRefusedReasons> kRefusedNames = {
    "late",  "before_start", "out_of_window", "after_end",
    "depth", "stopped",      "checksum",      "no_connection"};
constexpr std::array<std::string_view, kHoleReasons> kHoleNames = {
    "acknowledged", "stream_limit", "memory", "timeout", "truncated", "window", "end"};
constexpr std::array<std::string_view, static_cast<size_t>(StreamEnd::kCount)> kEndNames = {
    "fin", "rst", "depth", "stopped", "flow"};

}  // namespace

uint64_t StreamCounters::RefusedTotal() const { return SumOf(refused); }
uint64_t StreamCounters::LostTotal() const { return SumOf(lost); }

void StreamCounters::Add(const StreamCounters& other) {
  payload += other.payload;
  delivered += other.delivered;
  retransmitted += other.retransmitted;
  AddEach(refused, other.refused);
  buffered += other.buffered;
  AddEach(lost, other.lost);
  conflicting += other.conflicting;
  uncompared += other.uncompared;
  segments += other.segments;
  out_of_order += other.out_of_order;
  AddEach(holes, other.holes);
  conflicts += other.conflicts;
  memory_bytes += other.memory_bytes;
}

std::string_view Name(Refused reason) { return kRefusedNames[static_cast<size_t>(reason)]; }
std::string_view Name(HoleReason reason) { return kHoleNames[static_cast<size_t>(reason)]; }
std::string_view Name(StreamEnd end) { return kEndNames[static_cast<size_t>(end)]; }

}  // namespace weir

#include "engine/stats/tally.h"

#include <bit>

namespace weir {
namespace {

uint64_t Weight(const Packet& packet) { return uint64_t{1} + packet.held_packets; }

void TallyRefused(const Packet& packet, Ledger& ledger) {
  switch (packet.verdict) {
    case Verdict::kFiltered:
      ledger.filtered[packet.reason] += Weight(packet);
      break;
    case Verdict::kDuplicate:
      ledger.duplicate += Weight(packet);
      break;
    case Verdict::kNotIp:
      ledger.not_ip += Weight(packet);
      break;
    case Verdict::kMalformed:
      ledger.malformed[packet.reason] += Weight(packet);
      break;
    case Verdict::kShed:
      ledger.shed[packet.reason] += Weight(packet);
      break;
    case Verdict::kTracked:
    case Verdict::kFragmentHeld:  // the defragmenter counts these, as they may still move
    case Verdict::kFragmentDropped:
      break;
  }
}

void TallyOne(const Packet& packet, Ledger& ledger) {
  if (packet.verdict == Verdict::kTracked) {
    ledger.tracked += Weight(packet);
    ledger.tracked_bytes += uint64_t{packet.wire_length} + packet.held_bytes;
  } else {
    TallyRefused(packet, ledger);
  }
  for (uint32_t left = packet.anomalies; left != 0; left &= left - 1) {
    ++ledger.anomaly[static_cast<size_t>(std::countr_zero(left))];
  }
}

}  // namespace

void Tally(std::span<const Packet> packets, Ledger& ledger) {
  static_assert(static_cast<int>(Verdict::kTracked) == 0);
  uint64_t bytes = 0;
  uint32_t odd = 0;
  for (const Packet& packet : packets) {
    bytes += packet.wire_length;
    odd |= static_cast<uint32_t>(packet.verdict) | packet.anomalies | packet.held_packets;
  }
  ledger.received += packets.size();
  ledger.received_bytes += bytes;
  if (odd == 0) [[likely]] {
    ledger.tracked += packets.size();
    ledger.tracked_bytes += bytes;
  } else {
    for (const Packet& packet : packets) TallyOne(packet, ledger);
  }
}

}  // namespace weir

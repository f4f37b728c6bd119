// Counts a batch of packets into the ledger's lines, by verdict and anomaly.
//
// Lines that the defragmenter keeps are left alone: what it holds may still move.
// Thread: the shard's.
#pragma once

#include <span>

#include "engine/packet/packet.h"
#include "engine/stats/ledger.h"

namespace weir {

void Tally(std::span<const Packet> packets, Ledger& ledger);

}  // namespace weir

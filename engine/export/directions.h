// Packets and bytes of both directions of a flow, under the names that EVE has for them.
#pragma once

#include <array>
#include <cstdint>

#include "engine/export/json_line.h"

namespace weir {

// [0] from the initiator, [1] from the responder.
inline void WriteDirections(JsonLine& line, const std::array<uint64_t, 2>& packets,
                            const std::array<uint64_t, 2>& bytes) {
  line.Number("pkts_toserver", packets[0]);
  line.Number("pkts_toclient", packets[1]);
  line.Number("bytes_toserver", bytes[0]);
  line.Number("bytes_toclient", bytes[1]);
}

}  // namespace weir

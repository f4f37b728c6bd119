// Frames whose VLAN tag the kernel took out of the bytes, as they stood on the wire: for files and
// for filter programs, which look for the tag there.
#pragma once

#include <cstdint>
#include <vector>

#include "rings/frame.h"

namespace weir {

// `frame` with its tag before the EtherType again, as libpcap puts it back; its bytes then lie in
// `room`, which grows as needed, until the next call. The frame as it is where no tag was taken
// out, or its link type has no place for one.
Frame WithTagInBytes(const Frame& frame, std::vector<uint8_t>& room);

}  // namespace weir

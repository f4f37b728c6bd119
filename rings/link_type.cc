#include "rings/frame.h"

namespace weir {
static_assert(sizeof(Frame) == 40, "a frame is written and read once per packet: keep it small");
}  // namespace weir

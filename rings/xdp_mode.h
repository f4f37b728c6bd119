// How frames come from a device into the ring of an AF_XDP socket.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

// None is taken in silence instead of another.
enum class XdpMode : uint8_t {
  kZeroCopy,  // the device writes into the ring
  kCopy,      // the driver runs the program, the kernel copies
  kGeneric,   // the kernel runs the program where it would run for a packet socket, and copies
};

}  // namespace weir

// A reading of one of the kernel's clocks, clock_gettime(2), in nanoseconds.
#pragma once

#include <time.h>

#include <cstdint>

namespace weir {

inline int64_t ReadClockNs(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace weir

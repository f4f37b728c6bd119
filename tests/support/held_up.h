// What the machine did to a thread, for tests that measure: a loaded machine is not a slow engine.
#pragma once

#include <cstdint>
#include <fstream>

namespace weir::test {

// How long the calling thread could have run since it began and did not, as others had its
// processor: the second number of schedstat (Documentation/scheduler/sched-stats.rst). 0 where the
// kernel does not tell.
inline int64_t HeldUpNs() {
  std::ifstream file("/proc/thread-self/schedstat");
  int64_t ran_ns = 0, held_up_ns = 0;
  file >> ran_ns >> held_up_ns;
  return held_up_ns;
}

}  // namespace weir::test

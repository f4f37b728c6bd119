#include "tools/load/run/run_result.h"

#include <sys/resource.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "rings/clock.h"

namespace weir::load {

uint64_t PeakResidentBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) << 10;
}

double ThreadCpuSeconds() {
  return static_cast<double>(ReadClockNs(CLOCK_THREAD_CPUTIME_ID)) * 1e-9;
}

double CyclesPerSecond() {
#if defined(__x86_64__)
  constexpr int64_t kNs = 2'000'000;
  const int64_t start = ReadClockNs(CLOCK_MONOTONIC);
  const uint64_t first = __rdtsc();
  int64_t now = start;
  while (now - start < kNs) now = ReadClockNs(CLOCK_MONOTONIC);
  return static_cast<double>(__rdtsc() - first) / static_cast<double>(now - start) * 1e9;
#else
  return 0;
#endif
}

}  // namespace weir::load

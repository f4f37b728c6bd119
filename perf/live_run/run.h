// What the runs share: who stands on which processor, thread time, medians.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace weir::perf {

struct RunOptions {
  int rounds = 5;
  double seconds = 2;         // of sending, or of one measurement
  uint32_t frame_bytes = 60;  // with the link header
  uint32_t flows = 1000;
  uint32_t ring_mib = 64;
  uint32_t block_kib = 256;
  uint32_t retire_ms = 4;
  int64_t spin_us = -1;            // -1: the shard's default
  std::string backend = "packet";  // or xdp (native, copying), xdp-generic
  bool bare = false;               // rate: a loop over the same rings instead of a shard
  int sender_processor = 0;
  int shard_processor = 1;
};

// Each prints what it measured, a line per round and the medians, and fails where it could not
// measure. Needs root; uses network namespaces of its own.
absl::Status RunRate(const RunOptions& options);
absl::Status RunDrain(const RunOptions& options);
absl::Status RunScale(const RunOptions& options);

inline double Seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}
inline double ThreadSeconds() { return Seconds(CLOCK_THREAD_CPUTIME_ID); }
inline double ClockSeconds() { return Seconds(CLOCK_MONOTONIC); }

inline double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace weir::perf

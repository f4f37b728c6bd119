// What the machine did to a thread, for tests that measure: a loaded machine is not a slow engine.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <thread>

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

enum class Outcome { kAllArrived, kHeldUp, kNoSender };

// What is lost while others had the reader's processor for longer is not its fault.
constexpr int64_t kMostHeldUpNs = 10'000'000;

// Calls run(outcome), which checks one run, until one was not held up; then skips where none was.
template <typename Run>
void RunUntilUndisturbed(Run run) {
  constexpr int kTries = 5;
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "needs two processors";
  Outcome outcome = Outcome::kHeldUp;
  for (int i = 0; i < kTries && outcome == Outcome::kHeldUp && !testing::Test::HasFailure(); ++i)
    run(outcome);
  if (outcome == Outcome::kNoSender) GTEST_SKIP() << "no live frames here";
  if (outcome == Outcome::kHeldUp) GTEST_SKIP() << "others need the processors";
}

}  // namespace weir::test

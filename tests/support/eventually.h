// Waiting for what another thread or process does: for the condition, not for a time.
#pragma once

#include <chrono>
#include <thread>

namespace weir::test {

// Waits until `condition` holds; false when it does not for a minute, which no machine needs. A
// test that goes on without it may give up earlier.
template <typename Condition>
bool Eventually(Condition condition, std::chrono::seconds most = std::chrono::minutes(1)) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace weir::test

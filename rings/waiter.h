// The one wait of a shard: frames, commands and the timer end it.
//
// Wait spins a moment over what the caller calls ready, then sleeps in io_uring: one multishot poll
// for each source's descriptor and one for commands, armed once, and the time-out of the sleep.
// Where io_uring is forbidden (kernel.io_uring_disabled, containers) it sleeps in ppoll(2).
//
// No wake-up is lost: ready() is asked after old completions were taken out and before the sleep,
// so what comes later leaves a completion that ends the sleep at once. ready() must therefore be
// exact: true as long as one of the descriptors has something to give.
//
// Thread: one thread calls Wait, TakeWake, fd and SetTimer (Create may run on another one, before).
// Wake is thread-safe and async-signal-safe. Descriptors are borrowed and must outlive the Waiter.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/clock.h"

namespace weir {

enum class WaitResult : uint8_t {
  kReady,    // ready() said so, or a descriptor was readable or in error: its source should look
  kWoken,    // Wake was called
  kTimeout,  // the time has passed
};

struct WaiterOptions {
  bool io_uring = true;  // false: sleep in ppoll(2) from the start
};

class Waiter {
 public:
  static constexpr int64_t kForever = -1;

  // Waits on `fds`; negative ones are left out. Fails only when there are no descriptors left.
  static absl::StatusOr<std::unique_ptr<Waiter>> Create(std::span<const int> fds,
                                                        const WaiterOptions& options = {});
  ~Waiter();

  // Returns as soon as ready() is true, Wake was called or `timeout_ns` has passed (kForever: no
  // limit). Watches ready() and Wake for `spin_ns` before it sleeps.
  template <typename Ready>
  WaitResult Wait(int64_t timeout_ns, int64_t spin_ns, Ready&& ready);

  // Ends the wait that runs, or the next one; makes fd() readable until TakeWake.
  void Wake();

  // True once after Wake. Cheap while there was none: a read of memory.
  bool TakeWake();

  // For a foreign event loop: readable while a descriptor is readable, Wake was called, or the time
  // set by SetTimer has come. Made at the first call; -1 when there are no descriptors left.
  int fd();

  // fd() becomes readable after `timeout_ns` (0: at once; kForever: never). Replaces the last one.
  void SetTimer(int64_t timeout_ns);

  // How it sleeps, for people: "io_uring (single issuer, deferred)", "ppoll: io_uring refused,
  // ...".
  const std::string& method() const { return method_; }

 private:
  class Sleeper;
  class UringSleeper;
  class PollSleeper;
  enum class Slept : uint8_t { kDescriptor, kNothing, kTimeout };

  Waiter() = default;
  Slept Sleep(int64_t timeout_ns);
  void DropCompletions();
  static int64_t NowNs();
  static void RelaxProcessor();

  std::vector<int> fds_;  // sources, then the eventfd
  int wake_fd_ = -1;
  int epoll_fd_ = -1;
  int timer_fd_ = -1;
  std::atomic<bool> woken_{false};
  std::string method_;
  std::unique_ptr<Sleeper> sleeper_;
};

inline int64_t Waiter::NowNs() { return ReadClockNs(CLOCK_MONOTONIC); }

inline void Waiter::RelaxProcessor() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <typename Ready>
WaitResult Waiter::Wait(int64_t timeout_ns, int64_t spin_ns, Ready&& ready) {
  constexpr int kLooksPerClock = 64;
  const int64_t start = NowNs();
  const int64_t limit = timeout_ns < 0 ? INT64_MAX : timeout_ns;
  DropCompletions();
  for (int64_t passed = 0; passed < spin_ns && passed < limit; passed = NowNs() - start) {
    for (int i = 0; i < kLooksPerClock; ++i) {
      if (TakeWake()) return WaitResult::kWoken;
      if (ready()) return WaitResult::kReady;
      RelaxProcessor();
    }
  }
  for (;;) {
    if (TakeWake()) return WaitResult::kWoken;
    if (ready()) return WaitResult::kReady;
    const int64_t left = timeout_ns < 0 ? kForever : limit - (NowNs() - start);
    if (timeout_ns >= 0 && left <= 0) return WaitResult::kTimeout;
    if (Sleep(left) == Slept::kDescriptor) return WaitResult::kReady;
  }
}

}  // namespace weir

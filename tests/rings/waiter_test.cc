#include "rings/waiter.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

namespace weir {
namespace {

constexpr int64_t kMillisecond = 1'000'000;
constexpr int64_t kSecond = 1'000'000'000;

bool Readable(int fd, int timeout_ms = 0) {
  pollfd polled = {fd, POLLIN, 0};
  return poll(&polled, 1, timeout_ms) == 1;
}

int64_t CpuNs() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

// A descriptor with something to give: an eventfd that plays a source.
class Event {
 public:
  ~Event() { close(fd_); }
  int fd() const { return fd_; }
  void Set() { EXPECT_EQ(eventfd_write(fd_, 1), 0); }
  void Clear() {
    eventfd_t value;
    EXPECT_EQ(eventfd_read(fd_, &value), 0);
  }
  bool ready() const { return Readable(fd_); }

 private:
  int fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
};

// Every test runs with both ways of sleeping.
class WaiterTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const int fds[] = {event_.fd(), -1, other_.fd()};
    auto waiter = Waiter::Create(fds, {.io_uring = GetParam()});
    ASSERT_TRUE(waiter.ok()) << waiter.status();
    waiter_ = *std::move(waiter);
  }
  WaitResult Wait(int64_t timeout_ns, int64_t spin_ns = 0) {
    return waiter_->Wait(timeout_ns, spin_ns, [this] { return event_.ready() || other_.ready(); });
  }

  Event event_;
  Event other_;
  std::unique_ptr<Waiter> waiter_;
};

INSTANTIATE_TEST_SUITE_P(Ways, WaiterTest, testing::Values(true, false),
                         [](const auto& way) { return way.param ? "IoUring" : "Poll"; });

TEST_P(WaiterTest, TimesOut) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Wait(20 * kMillisecond), WaitResult::kTimeout);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(20));
}

TEST_P(WaiterTest, ZeroTimeoutOnlyLooks) {
  EXPECT_EQ(Wait(0), WaitResult::kTimeout);
  event_.Set();
  EXPECT_EQ(Wait(0), WaitResult::kReady);
}

TEST_P(WaiterTest, AnyDescriptorEndsTheSleep) {
  for (Event* event : {&event_, &other_}) {
    std::thread sender([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      event->Set();
    });
    EXPECT_EQ(Wait(5 * kSecond), WaitResult::kReady);
    sender.join();
    event->Clear();
  }
}

TEST_P(WaiterTest, WakeEndsTheSleep) {
  std::thread sender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    waiter_->Wake();
  });
  EXPECT_EQ(Wait(5 * kSecond), WaitResult::kWoken);
  sender.join();
  EXPECT_EQ(Wait(0), WaitResult::kTimeout);
}

TEST_P(WaiterTest, WakeBeforeWaitEndsTheNextWaitOnce) {
  waiter_->Wake();
  waiter_->Wake();
  EXPECT_EQ(Wait(kSecond), WaitResult::kWoken);
  EXPECT_EQ(Wait(0), WaitResult::kTimeout);
}

TEST_P(WaiterTest, SpinSeesWhatComesMeanwhile) {
  std::thread sender([&] { event_.Set(); });
  EXPECT_EQ(Wait(5 * kSecond, kSecond), WaitResult::kReady);
  sender.join();
}

TEST_P(WaiterTest, AnOldEventThatWasServedEndsAtMostOneSleep) {
  std::thread([&] { event_.Set(); }).join();
  EXPECT_EQ(Wait(kSecond), WaitResult::kReady);
  event_.Clear();
  Wait(5 * kMillisecond);
  EXPECT_EQ(Wait(5 * kMillisecond), WaitResult::kTimeout);
}

// The sender sets an event only after the last one was served: one lost wake-up would stop both.
TEST_P(WaiterTest, NoWakeUpIsLostInManyRounds) {
  constexpr int kRounds = 3000;
  std::atomic<int> served{0};
  std::thread sender([&] {
    for (int round = 0; round < kRounds; ++round) {
      while (served.load() != round) std::this_thread::yield();
      event_.Set();
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    do {
      ASSERT_EQ(Wait(5 * kSecond, round % 3 == 0 ? 20'000 : 0), WaitResult::kReady) << round;
    } while (!event_.ready());
    event_.Clear();
    served.store(round + 1);
  }
  sender.join();
}

TEST_P(WaiterTest, NoWakeIsLostInManyRounds) {
  constexpr int kRounds = 3000;
  std::atomic<int> served{0};
  std::thread sender([&] {
    for (int round = 0; round < kRounds; ++round) {
      while (served.load() != round) std::this_thread::yield();
      waiter_->Wake();
    }
  });
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_EQ(Wait(5 * kSecond), WaitResult::kWoken) << round;
    served.store(round + 1);
  }
  sender.join();
}

TEST_P(WaiterTest, SleepBurnsNoProcessor) {
  int64_t best_ns = INT64_MAX;  // of several: interrupts count as its own time
  for (int i = 0; i < 5 && best_ns >= 2 * kMillisecond; ++i) {
    const int64_t before = CpuNs();
    EXPECT_EQ(Wait(200 * kMillisecond), WaitResult::kTimeout);
    best_ns = std::min(best_ns, CpuNs() - before);
  }
  EXPECT_LT(best_ns, 2 * kMillisecond);
}

TEST_P(WaiterTest, AnotherThreadMayWaitThanTheOneThatCreated) {
  std::thread([&] {
    EXPECT_EQ(Wait(kMillisecond), WaitResult::kTimeout);
    event_.Set();
    EXPECT_EQ(Wait(kSecond), WaitResult::kReady);
  }).join();
  EXPECT_EQ(Wait(kSecond), WaitResult::kReady);
  event_.Clear();
  EXPECT_EQ(Wait(kMillisecond), WaitResult::kTimeout);
}

Waiter* signalled = nullptr;

TEST_P(WaiterTest, ASignalHandlerMayWake) {
  signalled = waiter_.get();
  struct sigaction action {};
  action.sa_handler = [](int) { signalled->Wake(); };
  struct sigaction old {};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &old), 0);
  const pthread_t self = pthread_self();
  std::thread sender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    pthread_kill(self, SIGUSR1);
  });
  EXPECT_EQ(Wait(5 * kSecond), WaitResult::kWoken);
  sender.join();
  sigaction(SIGUSR1, &old, nullptr);
}

TEST_P(WaiterTest, FdIsReadableWhileADescriptorIs) {
  const int fd = waiter_->fd();
  ASSERT_GE(fd, 0);
  EXPECT_EQ(waiter_->fd(), fd);
  EXPECT_FALSE(Readable(fd));
  event_.Set();
  EXPECT_TRUE(Readable(fd));
  EXPECT_TRUE(Readable(fd));
  event_.Clear();
  EXPECT_FALSE(Readable(fd));
}

TEST_P(WaiterTest, FdIsReadableAfterWakeUntilTaken) {
  const int fd = waiter_->fd();
  waiter_->Wake();
  EXPECT_TRUE(Readable(fd));
  EXPECT_TRUE(waiter_->TakeWake());
  EXPECT_FALSE(waiter_->TakeWake());
  EXPECT_FALSE(Readable(fd));
}

TEST_P(WaiterTest, FdIsReadableWhenTheTimerFires) {
  const int fd = waiter_->fd();
  waiter_->SetTimer(3600 * kSecond);
  EXPECT_FALSE(Readable(fd));
  waiter_->SetTimer(20 * kMillisecond);
  EXPECT_TRUE(Readable(fd, 5000));
  waiter_->SetTimer(Waiter::kForever);
  EXPECT_FALSE(Readable(fd));
  waiter_->SetTimer(0);
  EXPECT_TRUE(Readable(fd, 5000));
}

TEST_P(WaiterTest, FdStaysTrueAfterAWaitOfOurOwn) {
  const int fd = waiter_->fd();
  event_.Set();
  EXPECT_EQ(Wait(kSecond), WaitResult::kReady);
  EXPECT_TRUE(Readable(fd));
}

TEST_P(WaiterTest, SaysHowItSleeps) {
  if (GetParam()) {
    EXPECT_NE(waiter_->method().find("io_uring"), std::string::npos);
  } else {
    EXPECT_EQ(waiter_->method(), "ppoll");
  }
}

}  // namespace
}  // namespace weir

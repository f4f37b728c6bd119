#include "rings/waiter.h"

#include <liburing.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace weir {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

bool AddToEpoll(int epoll_fd, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

// How the thread is put to sleep.
class Waiter::Sleeper {
 public:
  virtual ~Sleeper() = default;
  // Forgets what is known of the past: the caller looks for itself afterwards.
  virtual void DropCompletions() {}
  // False: this way of sleeping has failed and must be replaced.
  virtual bool Sleep(int64_t timeout_ns, Slept* slept) = 0;
};

class Waiter::PollSleeper final : public Waiter::Sleeper {
 public:
  explicit PollSleeper(std::span<const int> fds) {
    for (int fd : fds) polled_.push_back({fd, POLLIN, 0});
  }

  bool Sleep(int64_t timeout_ns, Slept* slept) override {
    const timespec limit = {timeout_ns / kNanosecondsPerSecond, timeout_ns % kNanosecondsPerSecond};
    const int count =
        ppoll(polled_.data(), polled_.size(), timeout_ns < 0 ? nullptr : &limit, nullptr);
    *slept = count == 0 ? Slept::kTimeout : Slept::kNothing;
    if (count <= 0) return true;  // -1: EINTR
    const bool woken = polled_.back().revents != 0;
    if (count > (woken ? 1 : 0)) *slept = Slept::kDescriptor;
    return true;
  }

 private:
  std::vector<pollfd> polled_;
};

class Waiter::UringSleeper final : public Waiter::Sleeper {
 public:
  explicit UringSleeper(std::span<const int> fds) : fds_(fds.begin(), fds.end()) {}
  ~UringSleeper() override { Close(); }

  // 0 or -errno. The thread that sleeps must make the ring: it becomes its single issuer. Tries the
  // flags that cost least first.
  int Open(std::string* method) {
    struct Choice {
      uint32_t flags;
      const char* name;
    };
    constexpr Choice kChoices[] = {{IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
                                    "io_uring (single issuer, deferred)"},
                                   {IORING_SETUP_COOP_TASKRUN, "io_uring (cooperative)"},
                                   {0, "io_uring"}};
    int result = -ENOSYS;
    for (const Choice& choice : kChoices) {
      io_uring_params params{};
      params.flags = choice.flags;
      const auto entries = static_cast<unsigned>(std::max<size_t>(8, fds_.size()));
      result = io_uring_queue_init_params(entries, &ring_, &params);
      if (result != 0) continue;
      open_ = true;
      // Without it the time-out would be a request of its own that outlives the sleep (5.11).
      if (!(params.features & IORING_FEAT_EXT_ARG)) return -ENOSYS;
      *method = choice.name;
      return 0;
    }
    return result;
  }

  void Close() {
    if (open_) io_uring_queue_exit(&ring_);
    open_ = false;
  }

  void DropCompletions() override {
    Slept slept;
    if (open_) TakeCompletions(&slept);
  }

  bool Sleep(int64_t timeout_ns, Slept* slept) override {
    if (!open_ && !OpenAndArm()) return false;
    __kernel_timespec limit = {timeout_ns / kNanosecondsPerSecond,
                               timeout_ns % kNanosecondsPerSecond};
    io_uring_cqe* cqe = nullptr;
    const int result = io_uring_submit_and_wait_timeout(&ring_, &cqe, 1,
                                                        timeout_ns < 0 ? nullptr : &limit, nullptr);
    *slept = result == -ETIME ? Slept::kTimeout : Slept::kNothing;
    if (result < 0 && result != -ETIME && result != -EINTR && result != -EAGAIN) return false;
    return TakeCompletions(slept);
  }

 private:
  bool OpenAndArm() {
    std::string method;
    if (Open(&method) != 0) return false;
    for (size_t i = 0; i < fds_.size(); ++i) {
      if (!Arm(i)) return false;
    }
    return true;
  }

  bool Arm(size_t index) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    if (sqe == nullptr) return false;
    io_uring_prep_poll_multishot(sqe, fds_[index], POLLIN);
    io_uring_sqe_set_data64(sqe, index);
    return true;
  }

  // Takes all completions out; arms those polls again that the kernel ended.
  bool TakeCompletions(Slept* slept) {
    bool good = true;
    unsigned head;
    unsigned count = 0;
    io_uring_cqe* cqe;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      ++count;
      const uint64_t index = io_uring_cqe_get_data64(cqe);
      if (index + 1 != fds_.size()) *slept = Slept::kDescriptor;
      if (!(cqe->flags & IORING_CQE_F_MORE)) good = Arm(index) && good;
    }
    io_uring_cq_advance(&ring_, count);
    return good;
  }

  io_uring ring_{};
  bool open_ = false;
  std::vector<int> fds_;
};

absl::StatusOr<std::unique_ptr<Waiter>> Waiter::Create(std::span<const int> fds,
                                                       const WaiterOptions& options) {
  auto waiter = std::unique_ptr<Waiter>(new Waiter);
  waiter->wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (waiter->wake_fd_ < 0) {
    return absl::ErrnoToStatus(errno,
                               "cannot make an eventfd: raise the limit of open files (ulimit -n)");
  }
  std::copy_if(fds.begin(), fds.end(), std::back_inserter(waiter->fds_),
               [](int fd) { return fd >= 0; });
  waiter->fds_.push_back(waiter->wake_fd_);
  waiter->method_ = "ppoll";
  if (options.io_uring) {
    auto uring = std::make_unique<UringSleeper>(waiter->fds_);
    const int result = uring->Open(&waiter->method_);
    uring->Close();
    if (result == 0) {
      waiter->sleeper_ = std::move(uring);
      return waiter;
    }
    waiter->method_ = absl::StrCat("ppoll: io_uring refused, ", strerror(-result));
  }
  waiter->sleeper_ = std::make_unique<PollSleeper>(waiter->fds_);
  return waiter;
}

Waiter::~Waiter() {
  sleeper_.reset();
  for (int fd : {epoll_fd_, timer_fd_, wake_fd_}) {
    if (fd >= 0) close(fd);
  }
}

Waiter::Slept Waiter::Sleep(int64_t timeout_ns) {
  Slept slept = Slept::kNothing;
  if (!sleeper_->Sleep(timeout_ns, &slept)) {
    // Another thread than the first one waits, or a sandbox forbids the call: poll from now on.
    method_ = "ppoll: io_uring failed while waiting";
    sleeper_ = std::make_unique<PollSleeper>(fds_);
  }
  return slept;
}

void Waiter::DropCompletions() { sleeper_->DropCompletions(); }

void Waiter::Wake() {
  const int saved_errno = errno;
  // Release: what the caller wrote before Wake is seen by the thread whose TakeWake returns true.
  woken_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  // Fails only when the counter is full, and then it is readable anyway.
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
  errno = saved_errno;
}

bool Waiter::TakeWake() {
  if (!woken_.load(std::memory_order_relaxed)) return false;
  // Acquire: pairs with the release in Wake. Before the read: a Wake in between is told again.
  woken_.exchange(false, std::memory_order_acquire);
  uint64_t count;
  [[maybe_unused]] const ssize_t taken = read(wake_fd_, &count, sizeof count);
  return true;
}

int Waiter::fd() {
  if (epoll_fd_ >= 0) return epoll_fd_;
  timer_fd_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  bool good = timer_fd_ >= 0 && epoll_fd >= 0 && AddToEpoll(epoll_fd, timer_fd_);
  for (int fd : fds_) good = good && AddToEpoll(epoll_fd, fd);
  if (good) return epoll_fd_ = epoll_fd;
  for (int fd : {epoll_fd, timer_fd_}) {
    if (fd >= 0) close(fd);
  }
  timer_fd_ = -1;
  return -1;
}

void Waiter::SetTimer(int64_t timeout_ns) {
  if (timer_fd_ < 0) return;
  const int64_t value = timeout_ns < 0 ? 0 : std::max<int64_t>(timeout_ns, 1);  // 0 would disarm
  itimerspec timer{};
  timer.it_value = {value / kNanosecondsPerSecond, value % kNanosecondsPerSecond};
  timerfd_settime(timer_fd_, 0, &timer, nullptr);
}

}  // namespace weir

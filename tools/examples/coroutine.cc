// A C++20 coroutine that awaits a shard: `co_await reactor.Readable(shard.fd())` suspends it until
// the shard has work. The reactor is as small as one can be; a real program brings its own.
//
//   example_coroutine [CAPTURE]
#include <poll.h>

#include <coroutine>
#include <exception>
#include <vector>

#include "engine/shard.h"
#include "tools/examples/common.h"

namespace {

// A coroutine that starts at once and that nobody awaits.
struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

// Resumes each suspended coroutine when the descriptor that it waits for is readable.
class Reactor {
 public:
  auto Readable(int fd) {
    struct Awaiter {
      Reactor& reactor;
      int fd;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> handle) {
        reactor.descriptors_.push_back({.fd = fd, .events = POLLIN, .revents = 0});
        reactor.handles_.push_back(handle);
      }
      void await_resume() const {}
    };
    return Awaiter{*this, fd};
  }

  // Returns when no coroutine waits any more.
  void Run() {
    while (!handles_.empty()) {
      if (poll(descriptors_.data(), descriptors_.size(), -1) < 1) continue;
      ResumeFirstReady();
    }
  }

 private:
  void ResumeFirstReady() {
    size_t i = 0;
    while (descriptors_[i].revents == 0) ++i;
    const std::coroutine_handle<> handle = handles_[i];
    descriptors_.erase(descriptors_.begin() + static_cast<std::ptrdiff_t>(i));
    handles_.erase(handles_.begin() + static_cast<std::ptrdiff_t>(i));
    handle.resume();
  }

  std::vector<pollfd> descriptors_;
  std::vector<std::coroutine_handle<>> handles_;
};

Task CountFlows(Reactor& reactor, weir::Shard& shard, weir::examples::Totals& totals) {
  while (!shard.done()) {
    co_await reactor.Readable(shard.fd());
    for (const weir::Event& event : shard.Poll()) {
      if (event.kind != weir::EventKind::kFlowEnded) continue;
      weir::examples::Print(*event.record);
      totals.Add(*event.record);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto shard = weir::examples::MakeShard(argc, argv);
  weir::examples::Totals totals;
  Reactor reactor;
  CountFlows(reactor, *shard, totals);
  reactor.Run();
  return shard->status().ok() ? weir::examples::Verdict(totals, shard->ledger(), argc < 2) : 1;
}

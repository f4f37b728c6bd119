// A shard in an event loop that serves other descriptors too: here a timer that reports progress.
//
//   example_epoll_loop [CAPTURE]
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>

#include "engine/shard.h"
#include "tools/examples/common.h"

namespace {

bool Watch(int epoll, int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

int EverySecond() {
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  const itimerspec second{.it_interval = {.tv_sec = 1, .tv_nsec = 0},
                          .it_value = {.tv_sec = 1, .tv_nsec = 0}};
  timerfd_settime(timer, 0, &second, nullptr);
  return timer;
}

// One batch, then back to the loop, so that a busy wire does not starve the other descriptors: the
// shard's descriptor stays readable while there is more.
void Serve(weir::Shard& shard, weir::examples::Totals& totals) {
  for (const weir::Event& event : shard.Poll()) {
    if (event.kind != weir::EventKind::kFlowEnded) continue;
    weir::examples::Print(*event.record);
    totals.Add(*event.record);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto shard = weir::examples::MakeShard(argc, argv);
  weir::examples::Totals totals;
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int timer = EverySecond();
  if (!Watch(epoll, shard->fd()) || !Watch(epoll, timer)) return 1;
  while (!shard->done()) {
    epoll_event ready{};
    if (epoll_wait(epoll, &ready, 1, -1) < 1) continue;
    if (ready.data.fd == timer) {
      uint64_t expirations = 0;
      if (read(timer, &expirations, sizeof(expirations)) > 0) std::puts("one more second");
    } else {
      Serve(*shard, totals);
    }
  }
  close(timer);
  close(epoll);
  return shard->status().ok() ? weir::examples::Verdict(totals, shard->ledger(), argc < 2) : 1;
}

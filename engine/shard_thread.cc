#include "engine/shard_thread.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "engine/placement.h"
#include "rings/clock.h"

namespace weir {
absl::StatusOr<std::unique_ptr<ShardThread>> ShardThread::Create(Parts parts) {
  auto thread = std::unique_ptr<ShardThread>(new ShardThread(std::move(parts)));
  auto stop = Waiter::Create({}, {.io_uring = false});
  if (!stop.ok()) return stop.status();
  thread->stop_ = *std::move(stop);
  return thread;
}

ShardThread::~ShardThread() {
  Stop();
  Join();
}

// Signals are for the threads of whoever uses the engine, but for SIGSYS: it is about a system call
// of the thread's own (seccomp(2)), and ends the process where it is blocked.
absl::Status ShardThread::Start() {
  sigset_t all, before;
  sigfillset(&all);
  sigdelset(&all, SIGSYS);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const absl::Cleanup restore = [&] { pthread_sigmask(SIG_SETMASK, &before, nullptr); };
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(
        "cannot start a thread: raise the limit of processes (ulimit -u)");
  }
  return absl::OkStatus();
}

void ShardThread::Stop() {
  parts_.shard->Stop();
  stop_->Wake();
}

void ShardThread::Join() {
  if (thread_.joinable()) thread_.join();
}

void ShardThread::Run() {
  pthread_setname_np(pthread_self(), absl::StrCat("weir-", parts_.place.shard).c_str());
  absl::Status status = parts_.cpus.empty() ? absl::OkStatus() : PinThread(parts_.cpus);
  Show(ShardState::kRunning);
  if (status.ok()) status = Loop();
  if (!parts_.shard->done()) parts_.shard->GiveUp();
  status = parts_.consumer->OnEnd(*parts_.shard, status);
  {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }
  Show(status.ok() ? ShardState::kDone : ShardState::kFailed);
  parts_.on_ended();
  if (!parts_.shard->done()) StayUntilStop();
}

absl::Status ShardThread::Loop() {
  Shard& shard = *parts_.shard;
  ShardConsumer& consumer = *parts_.consumer;
  if (auto status = consumer.OnStart(shard); !status.ok()) return status;
  for (;;) {
    ApplyChange();
    const std::span<const Event> events = shard.Poll();
    if (parts_.split_check != nullptr) {
      parts_.split_check->Look(static_cast<uint16_t>(parts_.place.shard), events, split_);
    }
    if (!shard.idle() || !events.empty()) {
      if (auto status = consumer.OnBatch(shard, events); !status.ok()) return status;
    }
    if (shard.done()) return shard.status();
    if (ReadClockNs(CLOCK_MONOTONIC_COARSE) >= next_show_ns_) Show(ShardState::kRunning);
    if (!shard.idle()) continue;
    if (auto status = consumer.OnIdle(shard); !status.ok()) return status;
    const int64_t left = next_show_ns_ - ReadClockNs(CLOCK_MONOTONIC);
    if (auto status = shard.Wait(std::max<int64_t>(left, 0)); !status.ok()) return status;
  }
}

void ShardThread::ApplyChange() {
  if (!changes_.Update()) [[likely]]
    return;
  const EngineChange& change = changes_.front();
  if (change.filters) parts_.shard->SetFilters(*change.filters);
  if (change.publish_ns) parts_.publish_ns = *change.publish_ns;
}

void ShardThread::Show(ShardState state) {
  Shown& shown = shown_.back();
  shown.state = state;
  shown.clock_ns = ReadClockNs(CLOCK_MONOTONIC);
  shown.realtime_ns = ReadClockNs(CLOCK_REALTIME);
  shown.cpu_ns = ReadClockNs(CLOCK_THREAD_CPUTIME_ID);
  shown.counters = parts_.shard->Counters();
  shown.split = split_;
  if (const auto* const delays = parts_.shard->delays()) shown.delays = *delays;
  next_show_ns_ = shown.clock_ns + parts_.publish_ns;
  shown_.Publish();
  // A leg that has failed while another goes on, an interface that is away.
  if (state != ShardState::kRunning) return;
  absl::Status status = parts_.shard->status();
  const std::lock_guard lock(mutex_);
  status_ = std::move(status);
}

// The sources stay as they are: what the kernel steers here is counted by it as dropped, and the
// other shards keep the flows that they have.
void ShardThread::StayUntilStop() {
  while (stop_->Wait(parts_.publish_ns, 0, [] { return false; }) != WaitResult::kWoken) {
    Show(ShardState::kFailed);
  }
  Show(ShardState::kFailed);
}

void ShardThread::Change(const EngineChange& change) {
  changes_.back() = change;
  changes_.Publish();
}

ShardReport ShardThread::Report() {
  const std::lock_guard lock(mutex_);
  shown_.Update();
  const Shown& shown = shown_.front();
  ShardReport report;
  report.shard = static_cast<uint32_t>(parts_.place.shard);
  report.interface = parts_.place.name;
  report.cpus = parts_.cpus;
  report.state = shown.state;
  report.status = status_;
  report.counters = shown.counters;
  report.split = shown.split;
  report.shown_ns = shown.realtime_ns;
  report.delays = shown.delays;
  report.cpu_ns = shown.cpu_ns;
  if (shown.state == ShardState::kReady) return report;
  report.age_ns = ReadClockNs(CLOCK_MONOTONIC) - shown.clock_ns;
  if (shown.state == ShardState::kRunning && report.age_ns > parts_.stall_ns) {
    report.state = ShardState::kStalled;
  }
  return report;
}

}  // namespace weir

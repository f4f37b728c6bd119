#include "tests/support/shard_runner.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <utility>

#include "tests/support/eventually.h"
#include "tests/support/held_up.h"
#include "tests/support/live_frame_sender.h"

namespace weir::test {
namespace {

int64_t Read(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::unique_ptr<FrameSource> OpenSource(const NetNamespace& where,
                                        const PacketSourceOptions& options) {
  const auto scope = where.Enter();
  auto source = PacketSource::Open(options);
  if (source.ok()) return *std::move(source);
  ADD_FAILURE() << source.status();
  std::abort();
}

}  // namespace

int64_t ClockNs() { return Read(CLOCK_REALTIME); }

ShardRunner::ShardRunner(const NetNamespace& where, const PacketSourceOptions& source,
                         ShardOptions options, int processor)
    : ShardRunner(OpenSource(where, source), std::move(options), processor) {}

ShardRunner::ShardRunner(std::unique_ptr<FrameSource> source, ShardOptions options, int processor) {
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(source));
  options.live = true;
  auto shard = Shard::Create(options, std::move(sources));
  if (!shard.ok()) {
    ADD_FAILURE() << shard.status();
    std::abort();
  }
  shard_ = *std::move(shard);
  thread_ = std::thread([this, processor] { Run(processor); });
}

ShardRunner::~ShardRunner() {
  if (thread_.joinable()) Stop();
}

void ShardRunner::Stop() {
  shard_->Stop();
  thread_.join();
}

void ShardRunner::Run(int processor) {
  if (processor >= 0) PinToProcessor(processor);
  const int64_t cpu_before = Read(CLOCK_THREAD_CPUTIME_ID);
  while (!shard_->done()) {
    Note(shard_->Poll());
    if (!shard_->idle()) continue;
    EXPECT_TRUE(shard_->Wait().ok());
  }
  held_up_ns_ = HeldUpNs();
  cpu_ns_ = Read(CLOCK_THREAD_CPUTIME_ID) - cpu_before;
  counters_ = shard_->source_counters();
}

void ShardRunner::Note(std::span<const Event> events) {
  const uint64_t frames = shard_->ledger().received;
  if (events.empty() && frames == seen_.frames) return;
  const int64_t now = ClockNs();
  const std::lock_guard lock(mutex_);
  if (frames != seen_.frames) {
    seen_.frames = frames;
    seen_.clock_ns = now;
  }
  for (const Event& event : events) {
    if (event.kind == EventKind::kFrame) seen_.timestamp_ns = event.time_ns;
    if (event.kind != EventKind::kFlowEnded) continue;
    ended_.push_back(*event.record);
    ++seen_.flows_ended;
    seen_.flow_ended_clock_ns = now;
  }
}

ShardRunner::Seen ShardRunner::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

bool ShardRunner::WaitFor(const std::function<bool(const Seen&)>& done,
                          std::chrono::seconds most) const {
  return Eventually([&] { return done(seen()); }, most);
}

}  // namespace weir::test

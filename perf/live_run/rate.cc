// A shard with everything on at the sender's highest rate: what is lost, and how much of its
// processor the shard takes.
#include <sys/resource.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "perf/live_run/bare_xdp_loop.h"
#include "perf/live_run/live_shard.h"
#include "perf/live_run/run.h"

namespace weir::perf {
namespace {

struct Round {
  double mpps = 0;
  double gbits = 0;  // on the wire, without preamble and gap
  double busy = 0;   // thread time by clock
  double ns_per_frame = 0;
  uint64_t lost_on_the_way = 0;
  uint64_t dropped = 0;
  uint64_t batches = 0;
  uint64_t waits = 0;
};

// The shard's thread: runs until `stop` and everything is out.
class ShardThread {
 public:
  ShardThread(Shard& shard, int processor) : shard_(shard), processor_(processor) {}

  void Run() {
    test::PinToProcessor(processor_);
    while (!shard_.done()) {
      shard_.Poll();
      ++polls_;
      received_.store(shard_.ledger().received, std::memory_order_relaxed);
      if (!shard_.idle()) continue;
      thread_seconds_.store(ThreadSeconds(), std::memory_order_relaxed);
      ++waits_;
      (void)shard_.Wait();
    }
  }
  uint64_t received() const { return received_.load(std::memory_order_relaxed); }
  // When the shard found nothing to do last.
  double thread_seconds() const { return thread_seconds_.load(std::memory_order_relaxed); }
  uint64_t waits() const { return waits_; }
  uint64_t polls() const { return polls_; }

 private:
  Shard& shard_;
  int processor_;
  std::atomic<uint64_t> received_{0};
  std::atomic<double> thread_seconds_{0};
  uint64_t waits_ = 0, polls_ = 0;
};

absl::StatusOr<Round> RunOnce(const RunOptions& run) {
  const test::VethPair pair;
  auto sender = MakeSender(pair, run);
  if (!sender.ok()) return sender.status();
  auto source = OpenFarEnd(pair, run);
  if (!source.ok()) return source.status();
  auto shard = MakeShard(FullPipeline(run), *std::move(source));
  if (!shard.ok()) return shard.status();
  ShardThread worker(**shard, run.shard_processor);
  std::thread thread([&] { worker.Run(); });
  test::PinToProcessor(run.sender_processor);

  constexpr uint64_t kChunk = 1 << 17;
  uint64_t sent = 0;
  absl::Status status = (*sender)->Send(kChunk);  // flows are in the table, pages are touched
  while (status.ok() && worker.received() < kChunk && (*sender)->delivered() == kChunk)
    std::this_thread::yield();
  const double busy_before = worker.thread_seconds();
  const double start = ClockSeconds();
  while (status.ok() && ClockSeconds() - start < run.seconds) {
    status = (*sender)->Send(kChunk);
    sent += kChunk;
    while (Snapshot* const snapshot = (*shard)->snapshots()->Take())
      (*shard)->snapshots()->GiveBack(snapshot);
  }
  const double seconds = ClockSeconds() - start;
  (*shard)->Stop();
  thread.join();
  if (!status.ok()) return status;

  Round round;
  round.mpps = static_cast<double>(sent) / seconds / 1e6;
  round.gbits = round.mpps * run.frame_bytes * 8 / 1e3;
  const double busy = worker.thread_seconds() - busy_before;
  round.busy = busy / seconds;
  round.ns_per_frame = busy / static_cast<double>(sent) * 1e9;
  round.lost_on_the_way = sent + kChunk - (*sender)->delivered();
  round.dropped = (*shard)->source_counters().ring_dropped.value_or(0);
  round.batches = worker.polls();
  round.waits = worker.waits();
  if (!(*shard)->ledger().Balanced() || (*shard)->ledger().ledger_errors > 0)
    return absl::InternalError("the ledger does not add up");
  return round;
}

// The same rings, and a loop that reads each frame's first bytes and gives it back.
absl::StatusOr<Round> RunBare(const RunOptions& run) {
  const test::VethPair pair;
  auto sender = MakeSender(pair, run);
  if (!sender.ok()) return sender.status();
  auto loop = BareXdpLoop::Open(pair, run);
  if (!loop.ok()) return loop.status();
  std::thread thread([&] { (*loop)->Run(run.shard_processor); });
  test::PinToProcessor(run.sender_processor);
  constexpr uint64_t kChunk = 1 << 17;
  uint64_t sent = 0;
  absl::Status status;
  const double start = ClockSeconds();
  while (status.ok() && ClockSeconds() - start < run.seconds) {
    status = (*sender)->Send(kChunk);
    sent += kChunk;
  }
  const double seconds = ClockSeconds() - start;
  (*loop)->Stop();
  thread.join();
  if (!status.ok()) return status;
  Round round;
  round.mpps = static_cast<double>(sent) / seconds / 1e6;
  round.gbits = round.mpps * run.frame_bytes * 8 / 1e3;
  round.busy = (*loop)->thread_seconds() / seconds;
  round.ns_per_frame = (*loop)->thread_seconds() / static_cast<double>(sent) * 1e9;
  round.lost_on_the_way = sent - (*sender)->delivered();
  round.dropped = (*loop)->dropped();
  return round;
}

}  // namespace

absl::Status RunRate(const RunOptions& run) {
  std::printf(
      "rate: %s%s, %u-byte frames, %u flows, ring %u MiB in blocks of %u KiB, retire %u ms\n",
      run.backend.c_str(), run.bare ? " (bare)" : "", run.frame_bytes, run.flows, run.ring_mib,
      run.block_kib, run.retire_ms);
  std::vector<double> mpps, busy, cost;
  uint64_t dropped = 0;
  for (int i = 0; i < run.rounds; ++i) {
    const auto round = run.bare ? RunBare(run) : RunOnce(run);
    if (!round.ok()) return round.status();
    std::printf(
        "  %5.2f Mpps %6.2f Gbit/s  busy %5.1f %%  %4.0f ns/frame  dropped %lu  lost before "
        "the ring %lu  polls %lu  waits %lu\n",
        round->mpps, round->gbits, round->busy * 100, round->ns_per_frame, round->dropped,
        round->lost_on_the_way, round->batches, round->waits);
    mpps.push_back(round->mpps);
    busy.push_back(round->busy * 100);
    cost.push_back(round->ns_per_frame);
    dropped += round->dropped;
  }
  std::printf("median: %.2f Mpps, busy %.1f %%, %.0f ns/frame; dropped in all rounds: %lu\n",
              Median(mpps), Median(busy), Median(cost), dropped);
  return absl::OkStatus();
}

}  // namespace weir::perf

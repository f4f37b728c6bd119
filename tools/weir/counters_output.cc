#include "tools/weir/counters_output.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "engine/export/counters_writer.h"
#include "engine/stats/counters_merger.h"
#include "tools/rotating_file.h"
#include "tools/weir/counters_table.h"
#include "tools/weir/terminal.h"

namespace weir {
namespace {

constexpr auto kPause = std::chrono::milliseconds(20);  // between two looks for snapshots
constexpr size_t kTableRows = 20;
constexpr size_t kMostRows = 1'000'000;

bool ForPerson(const CommandOptions& options) {
  return options.counters_file == "-" && IsTerminal(stdout);
}

size_t RowsOf(const CommandOptions& options) {
  return options.counters_top == 0 && ForPerson(options) ? kTableRows : options.counters_top;
}

}  // namespace

class CountersOutput::Impl {
 public:
  Impl(const CommandOptions& options, std::vector<SnapshotQueue*> queues)
      : file_options_{.path = options.counters_file,
                      .rotate_bytes = options.rotate.bytes,
                      .rotate_ns = options.rotate.age_ns},
        live_(options.live_capture()),
        for_person_(ForPerson(options)),
        rows_(RowsOf(options)),
        queues_(std::move(queues)),
        merger_({.by = *options.counters,
                 .shards = static_cast<uint32_t>(queues_.size()),
                 .rows = options.counters_max != 0 ? options.counters_max : kMostRows,
                 .total_rows = 0}),
        writer_(rows_),
        lags_ns_(queues_.size()) {}

  absl::Status OpenFile(int64_t now_ns) {
    auto file = RotatingFile::Open(file_options_, now_ns);
    if (!file.ok()) return file.status();
    file_ = *std::move(file);
    return absl::OkStatus();
  }

  void StartThread() {
    if (!live_) return;
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }

  absl::Status Collect() {
    if (!live_) return CollectNow();
    const std::lock_guard lock(mutex_);
    return status_;
  }

  void Reopen() {
    const std::lock_guard lock(mutex_);
    reopen_ = true;
  }

  std::optional<int64_t> SnapshotLagNs(size_t shard) {
    const std::lock_guard lock(mutex_);
    std::optional<int64_t> lag_ns = lags_ns_[shard];
    if (lag_ns && busy_since_ns_) {
      lag_ns = std::max(*lag_ns, absl::GetCurrentTimeNanos() - *busy_since_ns_);
    }
    return lag_ns;
  }

  absl::Status Finish() {
    if (thread_.joinable()) {
      thread_.request_stop();
      thread_.join();
    }
    merger_.EndShards();
    if (status_.ok()) status_ = CollectNow();
    if (status_.ok() && file_) status_ = file_->Close();
    if (status_.ok() && !balanced_) {
      status_ = absl::InternalError(
          "--counters does not add up to the ledger: a bug of weir, please report it");
    }
    return status_;
  }

 private:
  void Run(const std::stop_token& stop) {
    std::condition_variable_any pause;
    std::mutex mutex;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      NoteBusy(absl::GetCurrentTimeNanos());
      absl::Status status = CollectNow();
      NoteBusy(std::nullopt);
      if (!status.ok()) {
        const std::lock_guard guard(mutex_);
        status_ = std::move(status);
        return;
      }
      pause.wait_for(lock, stop, kPause, [] { return false; });
    }
  }

  absl::Status CollectNow() {
    if (TakeReopen() && file_) {
      if (absl::Status status = file_->Reopen(); !status.ok()) return status;
    }
    for (SnapshotQueue* const queue : queues_) {
      while (Snapshot* const snapshot = queue->Take()) {
        merger_.Add(*snapshot);
        if (live_) NoteLag(*snapshot);
        queue->GiveBack(snapshot);
      }
    }
    while (const auto report = merger_.Take()) {
      if (absl::Status status = Write(*report); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  void NoteBusy(std::optional<int64_t> since_ns) {
    const std::lock_guard lock(mutex_);
    busy_since_ns_ = since_ns;
  }

  // Intervals end by packet time, which of an interface is the clock's.
  void NoteLag(const Snapshot& snapshot) {
    const int64_t lag_ns = absl::GetCurrentTimeNanos() - snapshot.end_ns;
    const std::lock_guard lock(mutex_);
    lags_ns_[snapshot.shard] = std::max<int64_t>(lag_ns, 0);
  }

  absl::Status Write(const CountersReport& report) {
    balanced_ = balanced_ && report.Balanced();
    if (!file_) {
      if (absl::Status status = OpenFile(report.start_ns); !status.ok()) return status;
    }
    if (for_person_) return file_->Write(CountersTable(report, rows_), report.end_ns);
    writer_.Clear();
    writer_.Append(report);
    return file_->Write(writer_.text(), report.end_ns);
  }

  bool TakeReopen() {
    const std::lock_guard lock(mutex_);
    return std::exchange(reopen_, false);
  }

  const RotatingFile::Options file_options_;
  const bool live_;
  const bool for_person_;
  const size_t rows_;
  const std::vector<SnapshotQueue*> queues_;
  CountersMerger merger_;
  CountersWriter writer_;
  std::unique_ptr<RotatingFile> file_;
  bool balanced_ = true;
  std::mutex mutex_;
  absl::Status status_;                          // guarded by mutex_ while the thread runs
  bool reopen_ = false;                          // guarded by mutex_
  std::vector<std::optional<int64_t>> lags_ns_;  // by shard; guarded by mutex_
  std::optional<int64_t> busy_since_ns_;         // guarded by mutex_
  std::jthread thread_;                          // live only
};

std::optional<SnapshotOptions> CountersOutput::OptionsFor(const CommandOptions& options,
                                                          int64_t now_ns) {
  if (!options.counters) return std::nullopt;
  SnapshotOptions snapshots;
  snapshots.by = *options.counters;
  snapshots.interval_ns = options.interval_ns;
  if (options.live_capture()) snapshots.origin_ns = now_ns;
  if (options.align) snapshots.origin_ns = 0;
  snapshots.flows = options.counters_max;
  return snapshots;
}

absl::StatusOr<std::unique_ptr<CountersOutput>> CountersOutput::Open(
    const CommandOptions& options, std::vector<SnapshotQueue*> queues) {
  auto impl = std::make_unique<Impl>(options, std::move(queues));
  if (options.live_capture()) {
    if (absl::Status status = impl->OpenFile(absl::GetCurrentTimeNanos()); !status.ok())
      return status;
  }
  return std::unique_ptr<CountersOutput>(new CountersOutput(std::move(impl)));
}

CountersOutput::CountersOutput(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CountersOutput::~CountersOutput() = default;

void CountersOutput::Start() { impl_->StartThread(); }
absl::Status CountersOutput::Collect() { return impl_->Collect(); }
void CountersOutput::Reopen() { impl_->Reopen(); }
std::optional<int64_t> CountersOutput::SnapshotLagNs(size_t shard) {
  return impl_->SnapshotLagNs(shard);
}
absl::Status CountersOutput::Finish() { return impl_->Finish(); }

}  // namespace weir

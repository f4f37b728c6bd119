#include "tools/weir/run.h"

#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>

#include "absl/time/clock.h"
#include "engine/shard.h"
#include "tools/weir/capture.h"
#include "tools/weir/display.h"
#include "tools/weir/filters.h"
#include "tools/weir/metrics_page.h"
#include "tools/weir/outputs.h"
#include "tools/weir/report.h"
#include "tools/weir/signals.h"
#include "tools/weir/terminal.h"
#include "tools/weir/traffic_tally.h"

namespace weir {
namespace {

// Coarse: some nanoseconds, cheap enough for once per batch.
int64_t CoarseClockNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

int64_t ClockNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

class Session {
 public:
  explicit Session(const CommandOptions& options) : options_(options) {}

  absl::Status Open();
  absl::Status Loop();
  absl::Status Finish();

 private:
  std::string SourceName() const {
    if (options_.live_capture()) return options_.interface;
    return options_.file == "-" ? "standard input" : options_.file;
  }
  bool Person() const { return !options_.quiet; }
  FILE* PersonStream() const { return options_.stdout_taken() ? stderr : stdout; }
  // Packet time; before the first frame the clock's.
  int64_t TimeNs() const {
    const int64_t time_ns = shard_->time_ns();
    return time_ns >= 0 ? time_ns : absl::GetCurrentTimeNanos();
  }
  ShardOptions MakeShardOptions() const;
  std::unique_ptr<Display> ChooseDisplay() const;
  absl::Status Handle(std::span<const Event> events);
  absl::Status OnTime(int64_t now_ns);
  absl::Status OpenOutputs();
  absl::Status StartMetrics();
  int64_t NextWakeNs() const;
  RunSample Sample() { return TakeSample(*shard_, ClockNs() - start_ns_); }

  const CommandOptions& options_;
  const CaptureFileSource* file_ = nullptr;
  std::unique_ptr<Shard> shard_;
  std::optional<Outputs> outputs_;
  std::unique_ptr<Display> display_;
  std::optional<RunSignals> signals_;
  std::unique_ptr<MetricsPage> metrics_;  // null: not asked for
  TrafficTally tally_;
  int64_t start_ns_ = 0;
  int64_t next_show_ns_ = INT64_MAX;
  int64_t next_metrics_ns_ = INT64_MAX;
  int64_t stop_ns_ = INT64_MAX;
};

ShardOptions Session::MakeShardOptions() const {
  ShardOptions shard;
  shard.decoder = options_.decoder;
  shard.flow = options_.flow;
  shard.dedup = options_.dedup;
  shard.defragment = options_.defragment;
  shard.checksum = options_.checksum;
  shard.overload = options_.overload;
  shard.live = options_.live_capture();
  shard.measure_delay = options_.live_capture() && options_.prometheus;
  shard.events = Outputs::EventsFor(options_);
  return shard;
}

// A terminal that shows our data on standard output gets no second text between the lines.
std::unique_ptr<Display> Session::ChooseDisplay() const {
  if (!Person() || (options_.stdout_taken() && IsTerminal(stdout))) return nullptr;
  if (file_ != nullptr) {
    return IsTerminal(stderr) ? MakeProgressBar(stderr, SourceName(), *file_) : nullptr;
  }
  FILE* const stream = PersonStream();
  return IsTerminal(stream) ? MakeLiveScreen(stream, options_.interface, options_.interval_ns)
                            : MakeLiveLines(stream, options_.interval_ns);
}

absl::Status Session::Open() {
  auto capture = OpenCapture(options_);
  if (!capture.ok()) return capture.status();
  file_ = capture->file;
  ShardOptions shard_options = MakeShardOptions();
  auto filters = MakeFilters(options_, *capture->source);
  if (!filters.ok()) return filters.status();
  shard_options.filters = *std::move(filters);
  for (const std::string& note : capture->notes) {
    if (Person()) std::fprintf(stderr, "weir: %s\n", note.c_str());
  }
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(capture->source));
  auto shard = Shard::Create(shard_options, std::move(sources));
  if (!shard.ok()) return shard.status();
  shard_ = *std::move(shard);
  signals_.emplace(*shard_);
  display_ = ChooseDisplay();
  return StartMetrics();
}

absl::Status Session::StartMetrics() {
  if (!options_.prometheus) return absl::OkStatus();
  auto metrics = MetricsPage::Start(*options_.prometheus, SourceName());
  if (!metrics.ok()) return metrics.status();
  metrics_ = *std::move(metrics);
  next_metrics_ns_ = 0;
  if (Person()) std::fprintf(stderr, "weir: metrics at %s\n", metrics_->url().c_str());
  return absl::OkStatus();
}

absl::Status Session::Handle(std::span<const Event> events) {
  if (Person()) {
    for (const Event& event : events) {
      if (event.kind == EventKind::kFlowEnded) tally_.Add(*event.record);
    }
  }
  return outputs_->Handle(events, TimeNs());
}

// After the first batch, so that the time stamps in a file's packets name and rotate its outputs.
absl::Status Session::OpenOutputs() {
  auto outputs = Outputs::Open(options_, TimeNs());
  if (!outputs.ok()) return outputs.status();
  outputs_ = *std::move(outputs);
  return absl::OkStatus();
}

// What the clock brings: refresh, flush, the end.
absl::Status Session::OnTime(int64_t now_ns) {
  if (now_ns >= next_show_ns_) {
    display_->Show(Sample(), *shard_);
    next_show_ns_ = now_ns + display_->interval_ns();
  }
  if (now_ns >= next_metrics_ns_) {
    metrics_->Show(*shard_);
    next_metrics_ns_ = now_ns + MetricsPage::kShowNs;
  }
  if (now_ns >= stop_ns_) shard_->Stop();
  if (signals_->TakeReopen()) return outputs_->Reopen(TimeNs());
  return absl::OkStatus();
}

int64_t Session::NextWakeNs() const {
  return std::min({next_show_ns_, next_metrics_ns_, stop_ns_});
}

absl::Status Session::Loop() {
  start_ns_ = ClockNs();
  if (display_) next_show_ns_ = start_ns_ + display_->interval_ns();
  if (options_.live_capture() && options_.duration_ns > 0) {
    stop_ns_ = start_ns_ + options_.duration_ns;
  }
  for (;;) {
    const std::span<const Event> events = shard_->Poll();
    if (!outputs_) {
      if (auto status = OpenOutputs(); !status.ok()) return status;
    }
    if (auto status = Handle(events); !status.ok()) return status;
    if (shard_->done()) return shard_->status();
    if (auto status = OnTime(CoarseClockNs()); !status.ok()) return status;
    if (!shard_->idle()) continue;
    if (auto status = outputs_->Flush(TimeNs()); !status.ok()) return status;
    const int64_t wake_ns = NextWakeNs();
    const int64_t sleep_ns = wake_ns == INT64_MAX ? -1 : std::max<int64_t>(0, wake_ns - ClockNs());
    if (auto status = shard_->Wait(sleep_ns); !status.ok()) return status;
  }
}

absl::Status PrintReport(FILE* stream, const std::string& text) {
  if (std::fputs(text.c_str(), stream) >= 0 && std::fflush(stream) == 0) return absl::OkStatus();
  const int error = errno;
  if (error == EPIPE) return absl::OkStatus();
  return absl::ErrnoToStatus(error, "cannot write the report");
}

absl::Status Session::Finish() {
  const RunSample last = Sample();
  EveStats stats;
  stats.time_ns = TimeNs();
  stats.uptime_ns = last.elapsed_ns;
  stats.ledger = last.ledger;
  stats.source = last.source;
  stats.dedup = last.dedup;
  stats.fragments = last.fragments;
  absl::Status status = outputs_ ? outputs_->Finish(stats) : absl::OkStatus();
  if (display_) display_->Finish(last);
  if (Person()) {
    ReportInput input = {SourceName(), options_.live_capture(), options_.dedup.window_ns, last, {}};
    if (const StreamFiles* const streams = outputs_ ? outputs_->streams() : nullptr) {
      input.streams = {streams->folder(), streams->files(), streams->bytes()};
    }
    status.Update(PrintReport(PersonStream(), Report(input, tally_)));
  }
  if (last.ledger.ledger_errors > 0) {
    status.Update(
        absl::InternalError("the ledger does not add up: a bug of weir, please report it"));
  }
  return status;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "weir: %s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) ? 2 : 1;
}

}  // namespace

int Run(const CommandOptions& options) {
  Session session(options);
  if (const auto status = session.Open(); !status.ok()) return Fail(status);
  absl::Status status = session.Loop();
  status.Update(session.Finish());
  if (absl::IsCancelled(status)) return 0;  // the reader of our pipe has had enough
  if (status.ok()) return 0;
  Fail(status);
  return 1;
}

}  // namespace weir

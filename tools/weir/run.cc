#include "tools/weir/run.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/engine.h"
#include "rings/clock.h"
#include "tools/privileges/privileges.h"
#include "tools/weir/capture.h"
#include "tools/weir/counters_output.h"
#include "tools/weir/display.h"
#include "tools/weir/fanout_advice.h"
#include "tools/weir/filters.h"
#include "tools/weir/later_files.h"
#include "tools/weir/metrics_page.h"
#include "tools/weir/outputs.h"
#include "tools/weir/report.h"
#include "tools/weir/shard_session.h"
#include "tools/weir/signals.h"
#include "tools/weir/terminal.h"
#include "tools/weir/traffic_tally.h"

namespace weir {
namespace {

int64_t ClockNs() { return ReadClockNs(CLOCK_MONOTONIC); }

constexpr int64_t kTroubleNs = 500'000'000;  // shards are looked at this often

class Session {
 public:
  explicit Session(const CommandOptions& options) : options_(options), outputs_(options) {}

  absl::Status Open();
  absl::Status Loop();
  absl::Status Finish();

 private:
  std::string SourceName() const {
    if (options_.live_capture()) return options_.InterfaceNames();
    return options_.file == "-" ? "standard input" : options_.file;
  }
  bool Person() const { return !options_.quiet; }
  FILE* PersonStream() const { return options_.stdout_taken() ? stderr : stdout; }
  std::unique_ptr<Display> ChooseDisplay() const;
  absl::StatusOr<std::unique_ptr<ShardSession>> MakeSession(int shard);
  void Tell(const std::string& text) const;
  absl::Status StartMetrics();
  absl::Status OpenFilesAndGiveUpPrivileges();
  absl::Status OpenFiles();
  absl::Status OpenCounters();
  absl::Status OnTime(int64_t now_ns);
  void TellTroubles();
  void ReadListsAnew();
  void Show();
  EveStats Stats(const RunSample& last) const;
  ReportInput Input(const RunSample& last) const;
  RunSample Sample() const { return {engine_->Counters(), ClockNs() - start_ns_}; }

  const CommandOptions& options_;
  Outputs outputs_;
  RunContext context_ = {.options = options_, .outputs = outputs_};
  std::vector<ShardSession*> sessions_;  // the engine's
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<CountersOutput> counters_;   // null: not asked for
  std::unique_ptr<PrometheusServer> metrics_;  // null: not asked for
  std::unique_ptr<Display> display_;
  std::optional<RunSignals> signals_;
  std::vector<bool> told_;  // of each shard that it has failed, or that its interface is away
  int64_t next_look_ns_ = 0;
  int64_t start_ns_ = 0;
  int64_t next_show_ns_ = INT64_MAX;
  int64_t stop_ns_ = INT64_MAX;
};

// A terminal that shows our data on standard output gets no second text between the lines.
std::unique_ptr<Display> Session::ChooseDisplay() const {
  if (!Person() || (options_.stdout_taken() && IsTerminal(stdout))) return nullptr;
  if (!options_.live_capture()) {
    return IsTerminal(stderr) ? MakeProgressBar(stderr, SourceName()) : nullptr;
  }
  FILE* const stream = PersonStream();
  return IsTerminal(stream) ? MakeLiveScreen(stream, SourceName(), options_.interval_ns)
                            : MakeLiveLines(stream, options_.interval_ns);
}

void Session::Tell(const std::string& text) const {
  if (Person()) std::fprintf(stderr, "weir: %s\n", text.c_str());
}

absl::Status Session::Open() {
  auto capture = OpenCapture(options_);
  if (!capture.ok()) return capture.status();
  auto filters = MakeFilters(options_, capture->file);
  if (!filters.ok()) return filters.status();
  auto rules = MakeRules(options_);
  if (!rules.ok()) return rules.status();
  display_ = ChooseDisplay();
  context_.tally = Person();
  context_.file = capture->file;
  if (display_ && display_->wants_scene()) {
    context_.screen_ns = display_->interval_ns();
    context_.busy_flows = options_.live_capture();
  }
  EngineOptions engine_options = std::move(capture->engine);
  engine_options.shard = MakeShardOptions(options_, *std::move(filters));
  engine_options.rules = *std::move(rules);
  auto engine = Engine::Create(std::move(engine_options), [this](const ShardPlace& place) {
    auto session = std::make_unique<ShardSession>(context_, place);
    sessions_.push_back(session.get());
    return session;
  });
  if (!engine.ok()) return engine.status();
  engine_ = *std::move(engine);
  for (const BackendChoice& choice : engine_->backends()) Tell(choice.Text());
  for (const std::string& note : engine_->notes()) Tell(note);
  if (sessions_.size() > options_.interfaces.size()) {
    for (const std::string& warning : FanoutWarnings(options_, engine_->fanout_modes())) {
      Tell(warning);
    }
  }
  told_.resize(sessions_.size());
  if (auto status = OpenFilesAndGiveUpPrivileges(); !status.ok()) return status;
  if (counters_) counters_->Start();
  signals_.emplace(*engine_);
  return StartMetrics();
}

// Files belong to whom the run goes on as. Threads come later: they inherit what is left.
absl::Status Session::OpenFilesAndGiveUpPrivileges() {
  const PrivilegeOptions privileges = {
      .keeps_net_raw = options_.live_capture() && !options_.drop_all,
      .keeps_bpf = options_.live_capture() && ReadingMapsNeedsBpf(),
      .user = options_.user,
      .filters_system_calls = options_.seccomp};
  absl::Status status;
  if (options_.user.empty()) status.Update(OpenFiles());
  if (status.ok()) status.Update(GiveUpPrivileges(privileges));
  if (status.ok() && !options_.user.empty()) status.Update(OpenFiles());
  if (status.ok()) status.Update(CheckFolders(options_));
  return status;
}

absl::Status Session::OpenFiles() {
  if (options_.live_capture()) {
    if (auto status = outputs_.Open(absl::GetCurrentTimeNanos()); !status.ok()) return status;
  }
  return OpenCounters();
}

absl::Status Session::OpenCounters() {
  if (!options_.counters) return absl::OkStatus();
  std::vector<SnapshotQueue*> queues;
  queues.reserve(static_cast<size_t>(engine_->shards()));
  for (int i = 0; i < engine_->shards(); ++i) queues.push_back(engine_->shard(i).snapshots());
  auto counters = CountersOutput::Open(options_, std::move(queues));
  if (!counters.ok()) return counters.status();
  counters_ = *std::move(counters);
  if (!options_.live_capture()) context_.counters = counters_.get();
  return absl::OkStatus();
}

absl::Status Session::StartMetrics() {
  if (!options_.prometheus) return absl::OkStatus();
  auto metrics = ServeMetrics(*options_.prometheus, *engine_, counters_.get());
  if (!metrics.ok()) return metrics.status();
  metrics_ = *std::move(metrics);
  Tell(absl::StrCat("metrics at ", metrics_->url()));
  return absl::OkStatus();
}

void Session::Show() {
  ShardScene all;
  if (display_->wants_scene()) {
    for (ShardSession* const session : sessions_) all.Add(session->Scene());
  }
  display_->Show(Sample(), all);
}

// One that fails alone, or whose interface is away, is told of when it is so, and when it is not
// any more; the others go on.
void Session::TellTroubles() {
  const bool alone = sessions_.size() == 1;
  for (const ShardReport& report : engine_->Reports()) {
    const bool troubled = !report.status.ok();
    if (troubled == told_[report.shard]) continue;
    told_[report.shard] = troubled;
    if (alone && report.state == ShardState::kFailed) continue;  // the run ends with it
    const std::string text =
        troubled ? ShardFailure(report) : absl::StrCat(report.interface, " is there again");
    std::fprintf(stderr, "weir: %s\n", text.c_str());
  }
}

// What the clock brings: refresh, reopen, the end.
absl::Status Session::OnTime(int64_t now_ns) {
  if (now_ns >= next_show_ns_) {
    Show();
    next_show_ns_ = now_ns + display_->interval_ns();
  }
  if (now_ns >= next_look_ns_) {
    TellTroubles();
    next_look_ns_ = now_ns + kTroubleNs;
  }
  if (now_ns >= stop_ns_) engine_->Stop();
  if (counters_ && options_.live_capture()) {
    if (auto status = counters_->Collect(); !status.ok()) return status;
  }
  if (signals_->TakeReopen()) {
    ReadListsAnew();
    if (counters_) counters_->Reopen();
    const int64_t time_ns = engine_->Counters().time_ns;
    return outputs_.Reopen(time_ns >= 0 ? time_ns : absl::GetCurrentTimeNanos());
  }
  return absl::OkStatus();
}

// A list that cannot be read now changes nothing.
void Session::ReadListsAnew() {
  if (options_.ignore_dst.empty() && options_.accept_src.empty()) return;
  auto rules = MakeRules(options_);
  absl::Status status = rules.status();
  if (status.ok()) status = engine_->Reconfigure({.rules = *std::move(rules)});
  Tell(status.ok() ? "read the lists of networks anew"
                   : absl::StrCat(status.message(), "; the lists of before stay in force"));
}

absl::Status Session::Loop() {
  constexpr int64_t kLookNs = 50'000'000;  // for signals
  start_ns_ = ClockNs();
  if (display_) next_show_ns_ = start_ns_ + display_->interval_ns();
  if (options_.live_capture() && options_.duration_ns > 0) {
    stop_ns_ = start_ns_ + options_.duration_ns;
  }
  absl::Status status = engine_->Start();
  if (!status.ok()) return status;
  for (int64_t wait_ns = 0; !engine_->WaitFor(wait_ns);) {
    const int64_t now_ns = ClockNs();
    status.Update(OnTime(now_ns));
    if (!status.ok()) engine_->Stop();
    const int64_t due_ns = std::min(next_show_ns_, now_ns < stop_ns_ ? stop_ns_ : INT64_MAX);
    wait_ns = std::clamp<int64_t>(due_ns - now_ns, 0, kLookNs);
  }
  status.Update(engine_->Join());
  return status;
}

absl::Status PrintReport(FILE* stream, const std::string& text) {
  if (std::fputs(text.c_str(), stream) >= 0 && std::fflush(stream) == 0) return absl::OkStatus();
  const int error = errno;
  if (error == EPIPE) return absl::OkStatus();
  return absl::ErrnoToStatus(error, "cannot write the report");
}

EveStats Session::Stats(const RunSample& last) const {
  EveStats stats;
  stats.time_ns = last.time_ns >= 0 ? last.time_ns : absl::GetCurrentTimeNanos();
  stats.uptime_ns = last.elapsed_ns;
  stats.ledger = last.ledger;
  stats.source = last.source;
  stats.dedup = last.dedup;
  stats.fragments = last.fragments;
  if (engine_->shards() == 1) return stats;
  for (const ShardReport& report : engine_->Reports()) {
    stats.split.Add(report.split);
    stats.shards.push_back({report.shard, report.interface, std::string(Name(report.state)),
                            report.counters.ledger, report.counters.source});
  }
  return stats;
}

ReportInput Session::Input(const RunSample& last) const {
  ReportInput input = {SourceName(), options_.live_capture(), options_.dedup.window_ns, last, {}};
  for (const ShardSession* const session : sessions_) input.streams.Add(session->streams());
  input.shards = engine_->Reports();
  return input;
}

absl::Status Session::Finish() {
  const RunSample last = Sample();
  absl::Status status = outputs_.Finish(Stats(last));
  if (counters_) status.Update(counters_->Finish());
  if (display_) display_->Finish(last);
  if (Person()) {
    TrafficTally tally;
    for (const ShardSession* const session : sessions_) tally.Add(session->tally());
    status.Update(PrintReport(PersonStream(), Report(Input(last), tally)));
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

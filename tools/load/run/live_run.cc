#include "tools/load/run/live_run.h"

#include <algorithm>
#include <memory>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_format.h"
#include "engine/engine.h"
#include "engine/placement.h"
#include "rings/clock.h"
#include "tools/load/verdict/flow_observer.h"

namespace weir::load {
namespace {

// All frames of a model.
class KeptFrames {
 public:
  explicit KeptFrames(TrafficModel& model) {
    std::vector<size_t> starts;
    for (;;) {
      const std::span<const Frame> some = model.Next(TrafficModel::kLeastCount);
      if (some.empty()) break;
      for (const Frame& frame : some) {
        starts.push_back(bytes_.size());
        frames_.push_back(frame);
        bytes_.insert(bytes_.end(), frame.data, frame.data + frame.captured_length);
      }
    }
    for (size_t i = 0; i < frames_.size(); ++i) frames_[i].data = bytes_.data() + starts[i];
  }
  std::span<const Frame> frames() const { return frames_; }

 private:
  std::vector<uint8_t> bytes_;
  std::vector<Frame> frames_;
};

class LiveRun {
 public:
  explicit LiveRun(LiveRunOptions options) : options_(std::move(options)) {}

  absl::StatusOr<RunResult> Run();

 private:
  static constexpr size_t kFramesAtOnce = 4096;
  static constexpr int64_t kLookNs = 10'000'000;

  absl::Status Open();
  absl::Status OpenPortDelay();
  absl::Status Send();
  absl::Status SendOnce();
  absl::Status SendRepeatedly();
  absl::Status SkipToEnd();
  void Settle();
  bool Interrupted() const { return options_.interrupted && options_.interrupted(); }
  uint64_t Accounted() const;

  LiveRunOptions options_;
  std::unique_ptr<TrafficModel> model_;
  std::unique_ptr<PortDelay> port_delay_;  // null: nobody asked
  std::unique_ptr<FrameSender> sender_;    // null: somebody else sends
  std::vector<FlowObserver*> observers_;   // the engine's, one per shard
  std::unique_ptr<Engine> engine_;
  RunResult result_;
};

absl::Status LiveRun::Open() {
  auto model = TrafficModel::Create(options_.profile);
  if (!model.ok()) return model.status();
  model_ = *std::move(model);
  EngineOptions engine = std::move(options_.engine);
  engine.shard.events = FlowObserver::Events(options_.profile, options_.verify);
  if (options_.hooks.source) engine.wrap = options_.hooks.source;
  auto made = Engine::Create(
      std::move(engine), [this](const ShardPlace&) -> std::unique_ptr<ShardConsumer> {
        auto observer = std::make_unique<FlowObserver>(options_.profile, options_.verify);
        observers_.push_back(observer.get());
        if (!options_.hooks.consumer) return observer;
        return options_.hooks.consumer(std::move(observer));
      });
  if (!made.ok()) return made.status();
  engine_ = *std::move(made);
  result_.notes = engine_->notes();
  for (const BackendChoice& choice : engine_->backends()) {
    absl::StrAppendFormat(&result_.way, "%s%s (%s)", result_.way.empty() ? "" : ", ",
                          choice.interface, BackendRungName(choice.rung));
    if (const std::string why = choice.Refusals(); !why.empty()) result_.notes.push_back(why);
  }
  if (!options_.send) return absl::OkStatus();
  if (options_.port_delay) {
    absl::Status status = OpenPortDelay();
    if (!status.ok() && options_.port_delay_needed) return status;
    if (!status.ok()) result_.notes.push_back(std::string(status.message()));
  }
  auto sender = OpenSender(*options_.send, &result_.notes);
  if (!sender.ok()) return sender.status();
  sender_ = *std::move(sender);
  return absl::OkStatus();
}

absl::Status LiveRun::OpenPortDelay() {
  for (const BackendChoice& choice : engine_->backends()) {
    if (choice.rung > BackendRung::kXdpGeneric) continue;
    return absl::FailedPreconditionError(
        absl::StrFormat("AF_XDP takes the frames of %s before the kernel or the packet socket sees "
                        "their time stamps: --backend packet, or --timestamps process",
                        choice.interface));
  }
  PortDelayOptions& options = *options_.port_delay;
  options.most_probes = options_.profile.packets / options_.profile.probe_every + 1;
  auto opened = PortDelay::Open(options);
  if (!opened.ok()) return opened.status();
  port_delay_ = *std::move(opened);
  options_.send->port_delay = port_delay_.get();
  return absl::OkStatus();
}

absl::Status LiveRun::Send() {
  if (options_.send_cpu >= 0) {
    if (auto status = PinThread({&options_.send_cpu, 1}); !status.ok()) return status;
  }
  auto status = options_.repeat_seconds > 0 ? SendRepeatedly() : SendOnce();
  if (status.ok()) status = sender_->Finish();
  if (!status.ok()) return status;
  const SendProgress progress = sender_->progress();
  result_.send_seconds = static_cast<double>(progress.last_ns - progress.first_ns) * 1e-9;
  result_.sent = sender_->sent();
  result_.refused = sender_->refused();
  return absl::OkStatus();
}

absl::Status LiveRun::SendOnce() {
  while (!Interrupted()) {
    const std::span<const Frame> frames = model_->Next(kFramesAtOnce);
    if (frames.empty()) break;
    if (auto status = sender_->Send(frames); !status.ok()) return status;
    if (port_delay_ != nullptr) port_delay_->Collect();
  }
  return absl::OkStatus();
}

absl::Status LiveRun::SendRepeatedly() {
  const KeptFrames kept(*model_);
  const int64_t until =
      ReadClockNs(CLOCK_MONOTONIC) + static_cast<int64_t>(options_.repeat_seconds * 1e9);
  while (!Interrupted() && ReadClockNs(CLOCK_MONOTONIC) < until) {
    if (auto status = sender_->Send(kept.frames()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// The sender is another process with the same profile: all of it is expected.
absl::Status LiveRun::SkipToEnd() {
  while (!model_->Next(kFramesAtOnce).empty()) {
  }
  result_.sent = model_->truth().frames;
  return absl::OkStatus();
}

uint64_t LiveRun::Accounted() const {
  const ShardCounters counters = engine_->Counters();
  return counters.ledger.received + counters.lost() +
         counters.source.KernelFilteredTotal().value_or(0);
}

// Until every frame is accounted for, or nothing has come for a while.
void LiveRun::Settle() {
  int64_t last_change = ReadClockNs(CLOCK_MONOTONIC);
  uint64_t before = 0;
  while (!Interrupted() && !engine_->WaitFor(kLookNs)) {
    if (port_delay_ != nullptr) port_delay_->Collect();
    const uint64_t accounted = Accounted();
    const int64_t now = ReadClockNs(CLOCK_MONOTONIC);
    const bool waiting_to_start = sender_ == nullptr && accounted == 0;
    if (accounted != before || waiting_to_start) last_change = now;
    before = accounted;
    if (accounted >= result_.sent || now - last_change > options_.quiet_ns) break;
  }
}

absl::StatusOr<RunResult> LiveRun::Run() {
  const std::vector<int> cpus = UsableCpus();  // a pinned sender is let go again at the end
  const absl::Cleanup unpin = [&cpus] { PinThread(cpus).IgnoreError(); };
  if (auto status = Open(); !status.ok()) return status;
  if (auto status = engine_->Start(); !status.ok()) return status;
  absl::Status status = sender_ != nullptr ? Send() : SkipToEnd();
  if (status.ok()) Settle();
  engine_->Stop();
  status.Update(engine_->Join());
  if (!status.ok()) return status;
  for (FlowObserver* const observer : observers_) result_.seen.Add(observer->TakeObservation());
  for (const ShardReport& report : engine_->Reports())
    result_.cpu_seconds += static_cast<double>(report.cpu_ns) * 1e-9;
  result_.counters = engine_->Counters();
  result_.shards = engine_->shards();
  if (port_delay_ != nullptr) result_.port_delays = port_delay_->Take();
  result_.verified = options_.verify;
  result_.truth = model_->truth();
  result_.timed_frames = result_.counters.ledger.received;
  result_.cycles = static_cast<uint64_t>(result_.cpu_seconds * CyclesPerSecond());
  result_.resident_bytes = PeakResidentBytes();
  return std::move(result_);
}

}  // namespace

absl::StatusOr<RunResult> RunLive(LiveRunOptions options) {
  return LiveRun(std::move(options)).Run();
}

}  // namespace weir::load

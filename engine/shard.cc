#include "engine/shard.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/flow/flow_tracker.h"
#include "engine/overload_gate.h"
#include "engine/packet/defragmenter.h"
#include "engine/stats/tally.h"
#include "rings/clock.h"
#include "rings/merged_source.h"
#include "rings/waiter.h"

namespace weir {
namespace {

absl::StatusOr<std::unique_ptr<FrameSource>> OneSource(
    const ShardOptions& options, std::vector<std::unique_ptr<FrameSource>> sources) {
  if (sources.empty()) return absl::InvalidArgumentError("a shard needs a source of frames");
  if (sources.size() == 1) return std::move(sources.front());
  return MergedSource::Create(std::move(sources),
                              {.live = options.live, .slack_ns = options.clock_slack_ns});
}

}  // namespace

class Shard::Impl {
 public:
  Impl(const ShardOptions& options, std::unique_ptr<FrameSource> source,
       std::unique_ptr<Waiter> waiter, std::unique_ptr<FlowTracker> tracker,
       std::unique_ptr<SnapshotQueue> snapshots)
      : options_(options),
        waiter_(std::move(waiter)),
        tracker_(std::move(tracker)),
        decoder_(options.decoder),
        defragmenter_(options.defragment, decoder_),
        events_(options.events, tracker_->MostStreamEvents()),
        source_(std::move(source)),
        snapshots_(std::move(snapshots)) {
    if (options.dedup.mode != DedupMode::kOff) dedup_.emplace(options.dedup);
    if (options.live) EndIntervalIfDue(ReadClockNs(CLOCK_REALTIME));  // opens the first one
    if (options.measure_delay) delays_ = std::make_unique<DelayHistogram>();
  }

  std::span<const Event> Poll();
  absl::Status Wait(int64_t timeout_ns);
  int fd();
  void Stop() { waiter_->Wake(); }
  void FinishSnapshots();

  void SetFilters(std::vector<std::shared_ptr<PacketFilter>> filters) {
    options_.filters = std::move(filters);
  }
  bool idle() const { return idle_; }
  bool done() const { return done_; }
  const Ledger& ledger() const { return ledger_; }
  DedupCounters dedup_counters() const { return dedup_ ? dedup_->counters() : DedupCounters{}; }
  const FragmentCounters& fragment_counters() const { return defragmenter_.counters(); }
  const DelayHistogram* delays() const { return delays_.get(); }
  ShardCounters Counters();
  absl::Status status() const { return source_->status(); }
  SourceCounters source_counters() { return source_->Counters(); }
  SnapshotQueue* snapshots() { return snapshots_.get(); }
  FlowTracker& flows() { return *tracker_; }
  // One, or the legs of a MergedSource.
  std::span<const std::unique_ptr<FrameSource>> sources() const {
    const auto* const merged = dynamic_cast<const MergedSource*>(source_.get());
    return merged != nullptr ? merged->legs() : std::span(&source_, 1);
  }

 private:
  FrameSource& source() const { return *source_; }
  void BeginStop();
  int Receive();
  std::span<const Frame> NextFrames();
  void EndIntervalIfDue(int64_t time_ns);
  void FillCounters(ShardCounters& counters);
  bool VerifiesChecksums() const {
    return options_.checksum == ChecksumMode::kDrop ||
           (options_.checksum == ChecksumMode::kCount && options_.flow.streams.has_value());
  }
  void LookAtRing(bool busy);
  void MeasureDelays(std::span<const Frame> frames);
  void Process(std::span<const Frame> frames, std::span<Packet> packets);
  void ReportFrames(std::span<const Frame> frames, std::span<const Packet> packets);
  void TallyFragments();
  void TallyStreams();
  void Silence();
  void Finish();
  void Tick();
  int64_t SleepNs(int64_t timeout_ns) const;

  ShardOptions options_;
  std::unique_ptr<Waiter> waiter_;
  std::unique_ptr<FlowTracker> tracker_;
  Decoder decoder_;
  Defragmenter defragmenter_;
  std::optional<Dedup> dedup_;
  std::unique_ptr<DelayHistogram> delays_;  // null: not measured
  EventBuffer events_;
  std::unique_ptr<FrameSource> source_;
  Ledger ledger_;
  std::unique_ptr<SnapshotQueue> snapshots_;  // null: not asked for
  std::array<Frame, kBatchFrames> frames_;
  std::span<const Frame> pending_;  // of frames_: received, not looked at yet
  std::array<Packet, kBatchFrames> packets_;
  std::array<TunnelPath, kBatchFrames> paths_;
  OverloadGate gate_;
  int batches_to_look_ = 0;
  int64_t last_tick_ns_ = INT64_MIN;
  bool draining_ = false;  // stopped; the source hands out what came in before
  bool fd_used_ = false;
  bool stopped_ = false;
  bool finishing_ = false;
  bool idle_ = false;
  bool done_ = false;
};

std::span<const Event> Shard::Impl::Poll() {
  events_.Clear();
  tracker_->Release();
  defragmenter_.Release();
  if (pending_.empty()) source().Release();
  if (done_) return {};
  if (finishing_) {
    Finish();
    return events_.events();
  }
  const std::span<const Frame> frames = NextFrames();
  if (options_.overload == Overload::kRefuseNew) LookAtRing(!frames.empty());
  if (!frames.empty()) {
    Process(frames, std::span(packets_).first(frames.size()));
  } else if ((stopped_ && !draining_) || source().ended()) {
    finishing_ = true;
  } else if (options_.live) {
    Silence();
  }
  const bool more = tracker_->Expire(events_);
  TallyStreams();
  Tick();
  idle_ = frames.empty() && !more && !finishing_;
  if (idle_ && fd_used_) waiter_->SetTimer(SleepNs(Waiter::kForever));
  return events_.events();
}

// A live source still hands out what lies in its ring, also in a block that the kernel has not
// handed over yet; a file ends at once.
void Shard::Impl::BeginStop() {
  if (stopped_) return;
  stopped_ = true;
  idle_ = false;
  draining_ = source().StopIntake();
}

int Shard::Impl::Receive() {
  if (waiter_->TakeWake()) BeginStop();
  if (stopped_ && !draining_) return 0;
  return source().Receive(frames_);
}

// A look at a full ring costs some cache misses: not at each batch. An empty one was drained.
void Shard::Impl::LookAtRing(bool busy) {
  constexpr int kBatchesPerLook = 4;
  if (busy && --batches_to_look_ > 0) return;
  batches_to_look_ = busy ? kBatchesPerLook : 0;
  const uint64_t step = gate_.Look(source().Fill());
  tracker_->RefuseNew((step << 32) / OverloadGate::kSteps);
}

// A batch, or what is left of it; with snapshots no more than belongs to one interval, which is the
// open one then.
std::span<const Frame> Shard::Impl::NextFrames() {
  if (pending_.empty()) pending_ = std::span(frames_).first(static_cast<size_t>(Receive()));
  size_t count = pending_.size();
  if (snapshots_ != nullptr && count > 0) {
    EndIntervalIfDue(pending_.front().timestamp_ns);
    const auto due = [this](const Frame& frame) { return snapshots_->Due(frame.timestamp_ns); };
    count = static_cast<size_t>(std::find_if(pending_.begin() + 1, pending_.end(), due) -
                                pending_.begin());
  }
  const std::span<const Frame> frames = pending_.first(count);
  pending_ = pending_.subspan(count);
  return frames;
}

void Shard::Impl::EndIntervalIfDue(int64_t time_ns) {
  if (snapshots_ == nullptr || !snapshots_->Due(time_ns)) return;
  if (!ledger_.Balanced()) ++ledger_.ledger_errors;
  snapshots_->Prefetch();
  FillCounters(snapshots_->counters());
  snapshots_->Advance(time_ns);
  tracker_->CountInto(snapshots_->deltas());
}

void Shard::Impl::MeasureDelays(std::span<const Frame> frames) {
  const int64_t now = ReadClockNs(CLOCK_REALTIME);
  for (const Frame& frame : frames) delays_->Add(now - frame.timestamp_ns);
}

void Shard::Impl::Process(std::span<const Frame> frames, std::span<Packet> packets) {
  if (delays_ != nullptr) MeasureDelays(frames);
  const auto paths = std::span(paths_).first(frames.size());
  decoder_.DecodeBatch(frames, packets, paths);
  for (const auto& filter : options_.filters) filter->Apply(frames, packets);
  if (dedup_) dedup_->Apply(frames, packets);
  const bool fragments = std::any_of(packets.begin(), packets.end(), [](const Packet& packet) {
    return packet.verdict == Verdict::kFragmentHeld;
  });
  if (fragments) defragmenter_.Apply(frames, packets, paths, packets.front().timestamp_ns);
  if (VerifiesChecksums()) VerifyTransportChecksums(frames, packets);
  if (events_.Wants(EventKind::kFrame)) ReportFrames(frames, packets);
  tracker_->Track(frames, packets, events_);
  Tally(packets, ledger_);
  TallyFragments();
}

void Shard::Impl::ReportFrames(std::span<const Frame> frames, std::span<const Packet> packets) {
  for (size_t i = 0; i < frames.size(); ++i) {
    if (packets[i].verdict == Verdict::kFiltered || packets[i].verdict == Verdict::kDuplicate)
      continue;
    Event& event = events_.Add(EventKind::kFrame);
    event.frame = &frames[i];
    event.packet = &packets[i];
    event.time_ns = frames[i].timestamp_ns;
  }
}

void Shard::Impl::TallyFragments() {
  const FragmentCounters& fragments = defragmenter_.counters();
  ledger_.fragment_held = fragments.held;
  ledger_.fragment_dropped = fragments.dropped;
  ledger_.anomaly[static_cast<size_t>(Anomaly::kTimeRegression)] = tracker_->time_regressions();
}

void Shard::Impl::TallyStreams() {
  if (options_.flow.streams.has_value()) ledger_.streams = tracker_->stream_counters();
}

// Nothing on the wire: packet time follows the clock, so that flows end on time.
void Shard::Impl::Silence() {
  const int64_t now =
      ReadClockNs(CLOCK_REALTIME) - source().hold_back_ns() - options_.clock_slack_ns;
  tracker_->AdvanceTo(now);
  defragmenter_.Expire(now);
  TallyFragments();
  EndIntervalIfDue(now);
}

void Shard::Impl::Finish() {
  defragmenter_.Flush();
  TallyFragments();
  done_ = !tracker_->Flush(events_);
  TallyStreams();
  idle_ = false;
  if (!done_) return;
  const bool flows_add_up = ledger_.tracked == tracker_->counters().ended_packets;
  if (!ledger_.Balanced() || !flows_add_up) ++ledger_.ledger_errors;
  FinishSnapshots();
}

void Shard::Impl::FinishSnapshots() {
  if (snapshots_ == nullptr) return;
  tracker_->CountInto(nullptr);
  FillCounters(snapshots_->counters());
  snapshots_->Finish(tracker_->time_ns());
}

ShardCounters Shard::Impl::Counters() {
  ShardCounters counters;
  FillCounters(counters);
  return counters;
}

void Shard::Impl::FillCounters(ShardCounters& counters) {
  counters.shards = 1;
  counters.ledger = ledger_;
  counters.source = source().Counters();
  counters.dedup = dedup_counters();
  counters.fragments = fragment_counters();
  counters.flows = tracker_->counters();
  counters.flows_alive = tracker_->alive();
  counters.flow_capacity = tracker_->capacity();
  counters.tunnels_in_use = tracker_->tunnels_in_use();
  if (options_.flow.streams)
    counters.stream_memory_limit_bytes = options_.flow.streams->memory_bytes;
  counters.ring = source().Fill();
  if (snapshots_ != nullptr) counters.joined_intervals = snapshots_->joined_intervals();
  counters.time_ns = tracker_->time_ns();
}

void Shard::Impl::Tick() {
  if (!events_.Wants(EventKind::kTick) || tracker_->time_ns() == last_tick_ns_) return;
  last_tick_ns_ = tracker_->time_ns();
  events_.Add(EventKind::kTick).time_ns = last_tick_ns_;
}

int64_t Shard::Impl::SleepNs(int64_t timeout_ns) const {
  constexpr int64_t kDrainNs = 10'000'000;
  if (source().wait_fd() < 0) return 0;
  if (draining_) timeout_ns = timeout_ns < 0 ? kDrainNs : std::min(timeout_ns, kDrainNs);
  int64_t due = options_.live ? tracker_->NextExpiry() : INT64_MAX;
  if (options_.live && snapshots_ != nullptr) due = std::min(due, snapshots_->end_ns());
  if (due != INT64_MAX) due += source().hold_back_ns() + options_.clock_slack_ns;
  due = std::min(due, source().next_due_ns());
  if (due == INT64_MAX) return timeout_ns;
  const int64_t until = std::max<int64_t>(due - ReadClockNs(CLOCK_REALTIME), 0);
  return timeout_ns < 0 ? until : std::min(timeout_ns, until);
}

absl::Status Shard::Impl::Wait(int64_t timeout_ns) {
  if (!idle_ || done_) return absl::OkStatus();
  const auto ready = [this] { return source().ready() || source().ended(); };
  const WaitResult result = waiter_->Wait(SleepNs(timeout_ns), options_.spin_ns, ready);
  if (result == WaitResult::kWoken) BeginStop();
  return absl::OkStatus();
}

int Shard::Impl::fd() {
  const int fd = waiter_->fd();
  if (!fd_used_) waiter_->SetTimer(idle_ ? SleepNs(Waiter::kForever) : 0);
  fd_used_ = true;
  return fd;
}

absl::StatusOr<std::unique_ptr<Shard>> Shard::Create(
    const ShardOptions& options, std::vector<std::unique_ptr<FrameSource>> sources) {
  auto source = OneSource(options, std::move(sources));
  if (!source.ok()) return source.status();
  FlowOptions flow = options.flow;
  flow.decoder = options.decoder;
  flow.drop_bad_checksums = options.checksum == ChecksumMode::kDrop;
  auto tracker = FlowTracker::Create(flow);
  if (!tracker.ok()) return tracker.status();
  std::unique_ptr<SnapshotQueue> snapshots;
  if (options.snapshots) {
    SnapshotOptions chosen = *options.snapshots;
    if (chosen.flows == 0) chosen.flows = flow.max_flows;
    auto made = SnapshotQueue::Create(chosen);
    if (!made.ok()) return made.status();
    snapshots = *std::move(made);
  }
  const int wait_fd = (*source)->wait_fd();
  auto waiter = Waiter::Create({&wait_fd, 1});
  if (!waiter.ok()) return waiter.status();
  return std::unique_ptr<Shard>(new Shard(std::make_unique<Impl>(
      options, *std::move(source), *std::move(waiter), *std::move(tracker), std::move(snapshots))));
}

Shard::Shard(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Shard::~Shard() = default;

std::span<const Event> Shard::Poll() { return impl_->Poll(); }
absl::Status Shard::Wait(int64_t timeout_ns) { return impl_->Wait(timeout_ns); }
int Shard::fd() { return impl_->fd(); }
void Shard::SetFilters(std::vector<std::shared_ptr<PacketFilter>> filters) {
  impl_->SetFilters(std::move(filters));
}
bool Shard::idle() const { return impl_->idle(); }
void Shard::Stop() { impl_->Stop(); }
void Shard::GiveUp() { impl_->FinishSnapshots(); }
bool Shard::done() const { return impl_->done(); }
SnapshotQueue* Shard::snapshots() { return impl_->snapshots(); }
ShardCounters Shard::Counters() { return impl_->Counters(); }
const Ledger& Shard::ledger() const { return impl_->ledger(); }
DedupCounters Shard::dedup_counters() const { return impl_->dedup_counters(); }
const FragmentCounters& Shard::fragment_counters() const { return impl_->fragment_counters(); }
const DelayHistogram* Shard::delays() const { return impl_->delays(); }
FlowTracker& Shard::flows() { return impl_->flows(); }
std::span<const std::unique_ptr<FrameSource>> Shard::sources() const { return impl_->sources(); }
int64_t Shard::time_ns() const { return impl_->flows().time_ns(); }

absl::Status Shard::status() const { return impl_->status(); }

SourceCounters Shard::source_counters() { return impl_->source_counters(); }

}  // namespace weir

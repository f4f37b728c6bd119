#include "rings/merged_source.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "rings/clock.h"

namespace weir {
namespace {

int64_t RealtimeNs() { return ReadClockNs(CLOCK_REALTIME); }

}  // namespace

absl::StatusOr<std::unique_ptr<MergedSource>> MergedSource::Create(
    std::vector<std::unique_ptr<FrameSource>> legs, const MergeOptions& options) {
  auto merged = std::unique_ptr<MergedSource>(new MergedSource(std::move(legs), options));
  if (auto status = merged->OpenWaitHandle(); !status.ok()) return status;
  return merged;
}

MergedSource::MergedSource(std::vector<std::unique_ptr<FrameSource>> legs,
                           const MergeOptions& options)
    : options_(options), sources_(std::move(legs)), legs_(sources_.size()) {
  if (options_.clock == nullptr) options_.clock = RealtimeNs;
  for (size_t i = 0; i < legs_.size(); ++i) {
    legs_[i].source = sources_[i].get();
    NumberInterfaces(legs_[i]);
    hold_back_ns_ = std::max(hold_back_ns_, sources_[i]->hold_back_ns());
  }
  // A frame lies unseen in its own leg first, and then waits for the others.
  if (options_.live) hold_back_ns_ += options_.slack_ns;
}

absl::Status MergedSource::OpenWaitHandle() {
  for (const auto& source : sources_) {
    const int fd = source->wait_fd();
    if (fd < 0) continue;
    if (!epoll_) epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{};
    event.events = EPOLLIN;
    if (!epoll_ || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      return absl::ErrnoToStatus(
          errno, "cannot wait on several sources: raise the limit of open files (ulimit -n)");
    }
  }
  return absl::OkStatus();
}

// A file may name further interfaces as it goes on.
void MergedSource::NumberInterfaces(Leg& leg) {
  const auto theirs = leg.source->interfaces();
  while (leg.interfaces.size() < theirs.size()) {
    const SourceInterface& interface = theirs[leg.interfaces.size()];
    leg.interfaces.push_back(static_cast<uint16_t>(interfaces_.size()));
    interfaces_.push_back(interface);
  }
}

// `now_ns` was read before: what is not there now is later than the clock less the hold-back.
void MergedSource::Refill(Leg& leg, int64_t now_ns) {
  const int count = leg.source->Receive(leg.frames);
  if (options_.live) leg.seen_ns = now_ns;
  leg.next = 0;
  leg.end = static_cast<uint32_t>(count);
  if (count < kBatchFrames) {
    leg.ended = leg.source->ended();
    if (options_.live) {
      leg.silent_until_ns = now_ns - leg.source->hold_back_ns() - options_.slack_ns;
    }
  }
  if (leg.source->interfaces().size() != leg.interfaces.size()) NumberInterfaces(leg);
  const uint16_t* const numbers = leg.interfaces.data();
  for (Frame& frame : std::span(leg.frames).first(leg.end)) {
    frame.interface_index = numbers[frame.interface_index];
  }
}

MergedSource::Leg* MergedSource::Earliest() {
  Leg* earliest = nullptr;
  for (Leg& leg : legs_) {
    if (leg.waiting() && (earliest == nullptr || leg.head_ns() < earliest->head_ns()))
      earliest = &leg;
  }
  return earliest;
}

// No leg can bring an earlier frame than the first of `leg`, which is the earliest that waits.
bool MergedSource::MayPass(const Leg& leg) const {
  return std::all_of(legs_.begin(), legs_.end(), [&](const Leg& other) {
    return other.waiting() || other.ended || other.silent_until_ns >= leg.bound_ns();
  });
}

int MergedSource::Receive(std::span<Frame> frames) {
  const int64_t now_ns = options_.live ? options_.clock() : 0;
  for (Leg& leg : legs_) {
    if (!leg.waiting() && !leg.ended) Refill(leg, now_ns);
  }
  size_t count = 0;
  while (count < frames.size()) {
    Leg* const leg = Earliest();
    if (leg == nullptr || !MayPass(*leg)) break;
    frames[count++] = leg->frames[leg->next++];
    // A leg is not read again before these frames are released: it may have later ones.
    leg->silent_until_ns = std::max(leg->silent_until_ns, frames[count - 1].timestamp_ns);
  }
  return static_cast<int>(count);
}

void MergedSource::Release() {
  for (Leg& leg : legs_) {
    if (!leg.waiting()) leg.source->Release();
  }
}

bool MergedSource::ready() const {
  bool some = false, all = true;
  for (const Leg& leg : legs_) {
    some |= leg.waiting();
    if (leg.waiting() || leg.ended) continue;
    if (leg.source->ready()) return true;
    all = false;
  }
  return some && all;
}

RingFill MergedSource::Fill() const {
  RingFill fullest;
  for (const auto& source : sources_) {
    const RingFill fill = source->Fill();
    if (uint64_t{fill.used} * fullest.units >= uint64_t{fullest.used} * fill.units) fullest = fill;
  }
  return fullest;
}

int64_t MergedSource::next_due_ns() const {
  if (!options_.live) return INT64_MAX;
  int64_t first = INT64_MAX;
  for (const Leg& leg : legs_) {
    if (leg.waiting()) first = std::min(first, leg.bound_ns());
  }
  if (first != INT64_MAX) first += hold_back_ns_;
  for (const Leg& leg : legs_) {
    if (!leg.waiting() && !leg.ended) first = std::min(first, leg.source->next_due_ns());
  }
  return first;
}

bool MergedSource::StopIntake() {
  bool more = false;
  for (Leg& leg : legs_) {
    if (!leg.ended && !leg.source->StopIntake()) leg.ended = true;
    more |= leg.waiting() || !leg.ended;
  }
  return more;
}

bool MergedSource::ended() const {
  return std::all_of(legs_.begin(), legs_.end(), [](const Leg& leg) {
    return !leg.waiting() && (leg.ended || leg.source->ended());
  });
}

absl::Status MergedSource::status() const {
  for (const auto& source : sources_) {
    if (absl::Status status = source->status(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

SourceCounters MergedSource::Counters() {
  SourceCounters sum = sources_.front()->Counters();
  for (size_t i = 1; i < sources_.size(); ++i) sum.Add(sources_[i]->Counters());
  for (const Leg& leg : legs_) sum.received -= leg.end - leg.next;
  return sum;
}

}  // namespace weir

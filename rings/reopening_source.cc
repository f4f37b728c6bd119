#include "rings/reopening_source.h"

#include <sys/epoll.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rings/clock.h"

namespace weir {
absl::StatusOr<std::unique_ptr<ReopeningSource>> ReopeningSource::Create(
    std::unique_ptr<FrameSource> first, Opener again) {
  std::unique_ptr<ReopeningSource> source(new ReopeningSource(std::move(first), std::move(again)));
  source->epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  if (auto status = source->Watch(); !status.ok()) return status;
  return source;
}

ReopeningSource::ReopeningSource(std::unique_ptr<FrameSource> first, Opener again)
    : source_(std::move(first)),
      again_(std::move(again)),
      interface_(source_->interfaces().front()),
      hold_back_ns_(source_->hold_back_ns()) {}

absl::Status ReopeningSource::Watch() {
  epoll_event event{};
  event.events = EPOLLIN;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, source_->wait_fd(), &event) == 0)
    return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot wait for ", interface_.name));
}

bool ReopeningSource::Away() const {
  return source_->ended() && absl::IsUnavailable(source_->status());
}

int ReopeningSource::Receive(std::span<Frame> frames) {
  if (source_ == nullptr) [[unlikely]]
    TryAgain();
  return source_ != nullptr ? source_->Receive(frames) : 0;
}

// Nothing is borrowed any more.
void ReopeningSource::Release() {
  if (source_ == nullptr) return;
  source_->Release();
  if (!stopping_ && source_->ended()) [[unlikely]] {
    if (Away()) LetGo();
  }
}

void ReopeningSource::LetGo() {
  const SourceCounters counters = source_->Counters();
  if (before_) {
    before_->Add(counters);
  } else {
    before_ = counters;
  }
  waiting_ = absl::UnavailableError(
      absl::StrCat(std::string(source_->status().message()), ": waiting for it to come back"));
  source_.reset();
  next_try_ns_ = ReadClockNs(CLOCK_REALTIME) + kRetryNs;
}

void ReopeningSource::TryAgain() {
  const int64_t now = ReadClockNs(CLOCK_REALTIME);
  if (stopping_ || now < next_try_ns_) return;
  next_try_ns_ = now + kRetryNs;
  auto source = again_();
  if (!source.ok()) return;
  const SourceInterface& interface = (*source)->interfaces().front();
  if (interface.link_type != interface_.link_type) {
    waiting_ = absl::UnavailableError(absl::StrCat(
        interface_.name, " came back as another kind of interface: waiting for the former one"));
    return;
  }
  source_ = *std::move(source);
  if (Watch().ok()) return;
  source_.reset();
}

int64_t ReopeningSource::next_due_ns() const {
  if (source_ != nullptr) return !stopping_ && Away() ? 0 : source_->next_due_ns();
  return stopping_ ? INT64_MAX : next_try_ns_;
}

bool ReopeningSource::StopIntake() {
  stopping_ = true;
  return source_ != nullptr && source_->StopIntake();
}

bool ReopeningSource::ended() const {
  if (stopping_) return source_ == nullptr || source_->ended();
  return source_ != nullptr && source_->ended() && !Away();
}

absl::Status ReopeningSource::status() const {
  if (source_ != nullptr) return source_->status();
  return stopping_ ? absl::OkStatus() : waiting_;
}

SourceCounters ReopeningSource::Counters() {
  if (source_ == nullptr) return *before_;
  SourceCounters counters = source_->Counters();
  if (before_) counters.Add(*before_);
  return counters;
}

}  // namespace weir

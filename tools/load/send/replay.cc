#include "tools/load/send/replay.h"

#include <poll.h>

#include <algorithm>
#include <ctime>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "rings/clock.h"
#include "tools/load/send/pacer.h"

namespace weir::load {
namespace {

constexpr int64_t kMostWaitNs = 100'000'000;
constexpr int64_t kTogetherNs = 10'000;
constexpr uint32_t kEthernetHeader = 14, kTag = 4;

}  // namespace

absl::StatusOr<std::unique_ptr<Replay>> Replay::Open(const std::string& path,
                                                     const ReplayOptions& options) {
  if (options.speed < 0) return absl::InvalidArgumentError("a replay's speed is 0 or more");
  auto replay = std::unique_ptr<Replay>(new Replay(path, options));
  auto source = OpenCaptureFile(path);
  if (!source.ok()) return source.status();
  replay->source_ = *std::move(source);
  if (options.loops != 1 && replay->source_->total_bytes() == 0)
    return absl::InvalidArgumentError(absl::StrCat(path, " is no file that can be read again"));
  replay->group_.reserve(kBatchFrames);
  return replay;
}

absl::StatusOr<bool> Replay::Step(FrameSender& sender) {
  if (at_ == count_) {
    const auto next = Fill();
    if (!next.ok()) return next.status();
    if (*next == Next::kLater) return true;
    if (*next == Next::kEnd) {
      if (auto status = sender.Finish(); !status.ok()) return status;
      return false;
    }
  }
  if (options_.speed == 0) {
    group_.clear();
    while (at_ < count_) {
      const Frame& frame = frames_[at_++];
      if (Sendable(frame)) group_.push_back(frame);
    }
    if (auto status = sender.Send(group_); !status.ok()) return status;
    return true;
  }
  if (auto status = SendDue(sender); !status.ok()) return status;
  return true;
}

absl::Status Replay::SendDue(FrameSender& sender) {
  const int64_t first_due_ns = DueNs(frames_[at_]);
  const int64_t now_ns = ReadClockNs(CLOCK_MONOTONIC);
  if (first_due_ns - now_ns > kMostWaitNs) {
    WaitUntil(now_ns + kMostWaitNs);
    return absl::OkStatus();
  }
  WaitUntil(first_due_ns);
  const int64_t together_ns = std::max(first_due_ns, now_ns) + kTogetherNs;
  counts_.latest_ns = std::max(counts_.latest_ns, now_ns - first_due_ns);
  group_.clear();
  while (at_ < count_ && DueNs(frames_[at_]) <= together_ns) {
    due_ns_ = DueNs(frames_[at_]);
    const Frame& frame = frames_[at_++];
    if (Sendable(frame)) group_.push_back(frame);
  }
  if (auto status = sender.Send(group_); !status.ok()) return status;
  return sender.Flush();
}

// A time stamp that goes back is as good as the one before.
int64_t Replay::DueNs(const Frame& frame) {
  if (start_ns_ == 0) {
    start_ns_ = std::max(ReadClockNs(CLOCK_MONOTONIC), due_ns_);
    first_stamp_ns_ = frame.timestamp_ns;
  }
  const double passed_ns =
      static_cast<double>(frame.timestamp_ns - first_stamp_ns_) / options_.speed;
  return std::max(due_ns_, start_ns_ + static_cast<int64_t>(passed_ns));
}

bool Replay::Sendable(const Frame& frame) {
  const uint32_t length = frame.captured_length + (frame.vlan_tpid != 0 ? kTag : 0);
  ++loop_frames_;
  if (frame.link_type != link_type::kEthernet || frame.captured_length < kEthernetHeader ||
      length > options_.most_frame_bytes) {
    ++counts_.unsendable;
    return false;
  }
  ++counts_.frames;
  if (length < frame.wire_length) ++counts_.cut;
  return true;
}

absl::StatusOr<Replay::Next> Replay::Fill() {
  source_->Release();
  at_ = 0;
  count_ = source_->Receive(frames_);
  if (count_ != 0) return Next::kFrames;
  if (source_->ended()) {
    if (auto status = source_->status(); !status.ok()) return status;
    return StartLoop();
  }
  pollfd polled = {source_->wait_fd(), POLLIN, 0};
  poll(&polled, 1, static_cast<int>(kMostWaitNs / 1'000'000));
  return Next::kLater;
}

// The first frame of a loop comes as long after the last one as frames are apart on average.
absl::StatusOr<Replay::Next> Replay::StartLoop() {
  ++counts_.loops;
  if (counts_.loops == options_.loops || loop_frames_ == 0) return Next::kEnd;
  if (loop_frames_ > 1) due_ns_ += (due_ns_ - start_ns_) / static_cast<int64_t>(loop_frames_ - 1);
  start_ns_ = 0;
  loop_frames_ = 0;
  auto source = OpenCaptureFile(path_);
  if (!source.ok()) return source.status();
  source_ = *std::move(source);
  return Next::kLater;
}

}  // namespace weir::load

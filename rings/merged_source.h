// Several sources read as one, in the order of their time stamps: the two legs of a TAP, each of
// which carries one direction of every flow.
//
// The earliest frame that any leg has is handed out when no other leg can still bring an earlier
// one: that leg has a later frame ready, or has ended, or, where the legs are live, it was looked
// at and had nothing at a moment when every frame up to that time stamp had to be visible (the
// clock less the leg's hold_back_ns and a slack). So a silent leg delays the other one's frames by
// its hold-back and the slack, and never stops them. Legs that are not live are waited for.
//
// What waits stays in its leg's ring: a leg is read kBatchFrames at a time, and given back as soon
// as all of them have been handed out and released. A leg that fails ends; the others go on.
//
// Thread: the shard's own. Frames of one leg are taken to be in order; where they are not, they
// come out as their leg gave them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/frame_source.h"
#include "rings/unique_fd.h"

namespace weir {

struct MergeOptions {
  bool live = false;             // time stamps are the clock's
  int64_t slack_ns = 5'000'000;  // live: beyond a leg's hold_back_ns
  int64_t (*clock)() = nullptr;  // that time stamps are of; null: CLOCK_REALTIME
};

class MergedSource final : public FrameSource {
 public:
  // `legs`: at least one, and none null.
  static absl::StatusOr<std::unique_ptr<MergedSource>> Create(
      std::vector<std::unique_ptr<FrameSource>> legs, const MergeOptions& options);

  std::span<const std::unique_ptr<FrameSource>> legs() const { return sources_; }

  int Receive(std::span<Frame> frames) override;
  void Release() override;
  bool ready() const override;
  RingFill Fill() const override;  // of the leg whose ring is fullest
  int wait_fd() const override { return epoll_.get(); }
  int64_t next_due_ns() const override;
  bool StopIntake() override;
  bool ended() const override;
  absl::Status status() const override;  // of the first leg that failed
  SourceCounters Counters() override;    // `received`: what was handed out, not what waits
  // Of all legs, one leg's after the other's. interface_index of a frame is into this.
  std::span<const SourceInterface> interfaces() const override { return interfaces_; }
  int64_t hold_back_ns() const override { return hold_back_ns_; }

 private:
  struct Leg {
    FrameSource* source = nullptr;
    std::array<Frame, kBatchFrames> frames;
    uint32_t next = 0;  // frames that wait: [next, end)
    uint32_t end = 0;
    bool ended = false;
    int64_t silent_until_ns = INT64_MIN;  // nothing up to here will come behind what waits
    std::vector<uint16_t> interfaces;     // the leg's index: ours

    int64_t seen_ns = INT64_MAX;  // live: the clock when what waits was read

    bool waiting() const { return next != end; }
    int64_t head_ns() const { return frames[next].timestamp_ns; }
    // Other legs are waited for until they have nothing before this: a time stamp in the future
    // (a clock that was set) holds nobody up.
    int64_t bound_ns() const { return std::min(head_ns(), seen_ns); }
  };

  MergedSource(std::vector<std::unique_ptr<FrameSource>> legs, const MergeOptions& options);
  absl::Status OpenWaitHandle();
  void Refill(Leg& leg, int64_t now_ns);
  void NumberInterfaces(Leg& leg);
  Leg* Earliest();
  bool MayPass(const Leg& leg) const;

  MergeOptions options_;
  std::vector<std::unique_ptr<FrameSource>> sources_;
  std::vector<Leg> legs_;
  std::vector<SourceInterface> interfaces_;
  int64_t hold_back_ns_ = 0;
  UniqueFd epoll_;
};

}  // namespace weir

// A live source that outlives its interface: when that is removed, it waits until one of the name
// is there again, and goes on with a new source of it. Counters go on, too. What comes in meanwhile
// nobody sees.
//
// Any other end of the source within is its own end.
//
// Thread: the shard's own. Opening again costs system calls and memory, on the shard's thread,
// while nothing comes in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rings/frame_source.h"
#include "rings/unique_fd.h"

namespace weir {

class ReopeningSource final : public FrameSource {
 public:
  // A new source like the first one, or why there is none yet.
  using Opener = std::function<absl::StatusOr<std::unique_ptr<FrameSource>>()>;

  static constexpr int64_t kRetryNs = 200'000'000;

  // `first`: of one interface, with a descriptor to wait on.
  static absl::StatusOr<std::unique_ptr<ReopeningSource>> Create(std::unique_ptr<FrameSource> first,
                                                                 Opener again);

  int Receive(std::span<Frame> frames) override;
  void Release() override;
  bool ready() const override { return source_ != nullptr && source_->ready(); }
  int wait_fd() const override { return epoll_.get(); }
  int64_t next_due_ns() const override;
  bool StopIntake() override;
  bool ended() const override;
  // While the interface is away: that it is.
  absl::Status status() const override;
  SourceCounters Counters() override;
  RingFill Fill() const override { return source_ != nullptr ? source_->Fill() : RingFill{}; }
  int64_t hold_back_ns() const override { return hold_back_ns_; }
  std::span<const SourceInterface> interfaces() const override { return {&interface_, 1}; }

 private:
  ReopeningSource(std::unique_ptr<FrameSource> first, Opener again);
  absl::Status Watch();
  bool Away() const;
  void LetGo();
  void TryAgain();

  std::unique_ptr<FrameSource> source_;  // null: the interface is away
  Opener again_;
  UniqueFd epoll_;
  SourceInterface interface_;
  int64_t hold_back_ns_;
  std::optional<SourceCounters> before_;  // of sources that are gone
  absl::Status waiting_;                  // while source_ is null
  int64_t next_try_ns_ = 0;               // CLOCK_REALTIME
  bool stopping_ = false;
};

}  // namespace weir

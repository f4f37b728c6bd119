// A source that ends early: after a number of frames, which it may share with others, or after a
// span of packet time.
//
// Owns the source it limits and passes everything else on. Thread: the shard's own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "rings/frame_budget.h"
#include "rings/frame_source.h"

namespace weir {

struct SourceLimits {
  std::shared_ptr<FrameBudget> frames;  // null = no limit
  int64_t span_ns = 0;                  // since the first frame; 0 = no limit
  bool any() const { return frames != nullptr || span_ns != 0; }
};

class LimitedSource : public FrameSource {
 public:
  LimitedSource(std::unique_ptr<FrameSource> inner, const SourceLimits& limits)
      : inner_(std::move(inner)), limits_(limits) {}

  int Receive(std::span<Frame> frames) override;
  void Release() override { inner_->Release(); }
  bool ready() const override { return !reached() && inner_->ready(); }
  int wait_fd() const override { return inner_->wait_fd(); }
  int64_t next_due_ns() const override { return inner_->next_due_ns(); }
  bool StopIntake() override { return inner_->StopIntake(); }
  bool ended() const override { return reached() || inner_->ended(); }
  absl::Status status() const override { return reached() ? absl::OkStatus() : inner_->status(); }
  // `received` counts what was handed out; the kernel's counters are the inner source's.
  SourceCounters Counters() override;
  RingFill Fill() const override { return inner_->Fill(); }
  std::span<const SourceInterface> interfaces() const override { return inner_->interfaces(); }
  int64_t hold_back_ns() const override { return inner_->hold_back_ns(); }

 private:
  bool reached() const {
    return reached_ || (limits_.frames != nullptr && limits_.frames->left() == 0);
  }
  int WithinSpan(std::span<const Frame> frames);

  std::unique_ptr<FrameSource> inner_;
  SourceLimits limits_;
  uint64_t handed_out_ = 0;
  std::optional<int64_t> first_ns_;
  bool reached_ = false;
};

}  // namespace weir

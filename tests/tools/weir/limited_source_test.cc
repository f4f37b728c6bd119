#include "tools/weir/limited_source.h"

#include <gtest/gtest.h>

#include <array>

namespace weir {
namespace {

// Endless frames, 1 ms apart, `step` a call.
class EndlessSource : public FrameSource {
 public:
  int Receive(std::span<Frame> frames) override {
    for (Frame& frame : frames) {
      frame = Frame();
      frame.timestamp_ns = 1'000'000 * next_++;
    }
    return static_cast<int>(frames.size());
  }
  void Release() override {}
  bool ended() const override { return false; }
  absl::Status status() const override { return absl::DataLossError("behind the limit"); }
  SourceCounters Counters() override { return {}; }
  bool StopIntake() override { return true; }
  std::span<const SourceInterface> interfaces() const override { return {}; }

 private:
  int64_t next_ = 5;
};

uint64_t Drain(LimitedSource& source, size_t batch) {
  std::array<Frame, kBatchFrames> frames;
  uint64_t count = 0;
  while (!source.ended()) {
    count += static_cast<uint64_t>(source.Receive(std::span(frames).first(batch)));
    source.Release();
  }
  return count;
}

TEST(LimitedSource, EndsAfterExactlySoManyFrames) {
  for (const size_t batch : {1, 7, 64}) {
    LimitedSource source(std::make_unique<EndlessSource>(),
                         {.frames = std::make_shared<FrameBudget>(100), .span_ns = 0});
    EXPECT_EQ(Drain(source, batch), 100u);
    EXPECT_EQ(source.Counters().received, 100u);
  }
}

TEST(LimitedSource, EndsAfterASpanOfPacketTime) {
  for (const size_t batch : {1, 7, 64}) {
    LimitedSource source(std::make_unique<EndlessSource>(),
                         {.frames = nullptr, .span_ns = 10'000'000});
    EXPECT_EQ(Drain(source, batch), 11u) << "0 to 10 ms, both included";
  }
}

TEST(LimitedSource, TheFirstLimitCounts) {
  LimitedSource source(std::make_unique<EndlessSource>(),
                       {.frames = std::make_shared<FrameBudget>(5), .span_ns = 10'000'000});
  EXPECT_EQ(Drain(source, 64), 5u);
}

TEST(LimitedSource, StoppingTheIntakeReachesTheSource) {
  LimitedSource source(std::make_unique<EndlessSource>(),
                       {.frames = std::make_shared<FrameBudget>(5), .span_ns = 0});
  EXPECT_TRUE(source.StopIntake());
}

TEST(LimitedSource, WhatLiesBehindTheLimitIsNoError) {
  LimitedSource source(std::make_unique<EndlessSource>(),
                       {.frames = std::make_shared<FrameBudget>(1), .span_ns = 0});
  Drain(source, 64);
  EXPECT_TRUE(source.status().ok());
}

TEST(LimitedSource, SeveralShareOneNumberOfFrames) {
  const auto budget = std::make_shared<FrameBudget>(100);
  LimitedSource one(std::make_unique<EndlessSource>(), {.frames = budget, .span_ns = 0});
  LimitedSource other(std::make_unique<EndlessSource>(), {.frames = budget, .span_ns = 0});
  Frame frames[40];
  EXPECT_EQ(one.Receive(frames) + other.Receive(frames), 80);
  EXPECT_EQ(Drain(one, 7), 20u);
  EXPECT_TRUE(other.ended());
  EXPECT_EQ(other.Receive(frames), 0);
  EXPECT_EQ(one.Counters().received + other.Counters().received, 100u);
}

}  // namespace
}  // namespace weir

#include "tools/load/send/replay.h"

#include <gmock/gmock.h>

#include <fstream>

#include "rings/clock.h"
#include "tests/rings/capture_bytes.h"
#include "tests/support/temporary_folder.h"

namespace weir::test {
namespace {

using load::Replay;
using load::ReplayOptions;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kMillisecond = 1'000'000;

// Keeps the first payload byte of each frame, and when it came.
class Recorder : public load::FrameSender {
 public:
  absl::Status Send(std::span<const Frame> frames) override {
    for (const Frame& frame : frames) {
      names.push_back(static_cast<char>(frame.data[14]));
      times_ns.push_back(ReadClockNs(CLOCK_MONOTONIC));
    }
    return absl::OkStatus();
  }
  absl::Status Flush() override {
    ++flushes;
    return absl::OkStatus();
  }
  absl::Status Finish() override {
    finished = true;
    return absl::OkStatus();
  }
  load::SendProgress progress() const override { return {}; }
  uint64_t sent() const override { return names.size(); }
  uint64_t refused() const override { return 0; }
  load::SendMethod method() const override { return load::SendMethod::kAuto; }

  std::string names;
  std::vector<int64_t> times_ns;
  int flushes = 0;
  bool finished = false;
};

class ReplayTest : public testing::Test {
 protected:
  static std::string FrameOf(char name, size_t bytes = 60) {
    std::string frame(bytes, '\0');
    frame[14] = name;
    return frame;
  }

  std::string Write(const CaptureBytes& bytes) {
    const std::string path = folder_.File("seen.pcap");
    std::ofstream(path, std::ios::binary) << bytes.bytes();
    return path;
  }

  // Frames at 0, 20 and 60 ms.
  std::string WriteThree() {
    return Write(CaptureBytes()
                     .PcapHeader()
                     .PcapRecord(1, 0, FrameOf('a'))
                     .PcapRecord(1, 20'000, FrameOf('b'))
                     .PcapRecord(1, 60'000, FrameOf('c')));
  }

  absl::Status Run(const std::string& path, const ReplayOptions& options) {
    auto replay = Replay::Open(path, options);
    if (!replay.ok()) return replay.status();
    replay_ = *std::move(replay);
    start_ns_ = ReadClockNs(CLOCK_MONOTONIC);
    for (;;) {
      const auto more = replay_->Step(recorder_);
      if (!more.ok()) return more.status();
      if (!*more) return absl::OkStatus();
    }
  }

  // From before the first frame to the i-th: never less than the file says.
  int64_t At(size_t i) const { return recorder_.times_ns[i] - start_ns_; }

  TemporaryFolder folder_;
  Recorder recorder_;
  std::unique_ptr<Replay> replay_;
  int64_t start_ns_ = 0;
};

TEST_F(ReplayTest, KeepsTheRecordedGaps) {
  ASSERT_EQ(Run(WriteThree(), {}), absl::OkStatus());
  EXPECT_EQ(recorder_.names, "abc");
  EXPECT_GE(At(1), 20 * kMillisecond);
  EXPECT_GE(At(2), 60 * kMillisecond);
  EXPECT_LT(At(2), 20'000 * kMillisecond);
  EXPECT_EQ(recorder_.flushes, 3);
  EXPECT_TRUE(recorder_.finished);
}

TEST_F(ReplayTest, SpeedDividesTheGaps) {
  const std::string path = Write(
      CaptureBytes().PcapHeader().PcapRecord(1, 0, FrameOf('a')).PcapRecord(101, 0, FrameOf('b')));
  ASSERT_EQ(Run(path, {.speed = 10'000}), absl::OkStatus());
  EXPECT_GE(At(1), 10 * kMillisecond);
  EXPECT_LT(At(1), 50'000 * kMillisecond);
}

TEST_F(ReplayTest, SpeedZeroLeavesThePaceToTheSender) {
  ASSERT_EQ(Run(WriteThree(), {.speed = 0, .loops = 1000}), absl::OkStatus());
  EXPECT_EQ(recorder_.names.size(), 3000);
  EXPECT_LT(At(2999), 30'000 * kMillisecond);  // not 1000 times 60 ms
  EXPECT_EQ(recorder_.flushes, 0);
  EXPECT_TRUE(recorder_.finished);
}

TEST_F(ReplayTest, LoopsAreAMeanGapApart) {
  ASSERT_EQ(Run(WriteThree(), {.speed = 4, .loops = 2}), absl::OkStatus());
  EXPECT_EQ(recorder_.names, "abcabc");
  EXPECT_EQ(replay_->counts().loops, 2);
  // 15 ms of the first loop, 7.5 of the mean gap.
  EXPECT_GE(At(3), 22 * kMillisecond);
}

TEST_F(ReplayTest, ATimeStampThatGoesBackCountsAsTheOneBefore) {
  const std::string path = Write(CaptureBytes()
                                     .PcapHeader()
                                     .PcapRecord(1, 30'000, FrameOf('a'))
                                     .PcapRecord(1, 10'000, FrameOf('b'))
                                     .PcapRecord(1, 50'000, FrameOf('c')));
  ASSERT_EQ(Run(path, {}), absl::OkStatus());
  EXPECT_EQ(recorder_.names, "abc");
  EXPECT_GE(At(2), 20 * kMillisecond);
}

TEST_F(ReplayTest, FramesThatAreDueTogetherLeaveTogether) {
  CaptureBytes bytes;
  bytes.PcapHeader();
  for (uint32_t i = 0; i < 40; ++i) bytes.PcapRecord(1, i / 20 * 30'000 + i % 2, FrameOf('x'));
  ASSERT_EQ(Run(Write(bytes), {}), absl::OkStatus());
  EXPECT_EQ(recorder_.names.size(), 40);
  EXPECT_LE(recorder_.flushes, 2);
}

TEST_F(ReplayTest, WhatCannotBeSentIsCounted) {
  const std::string path = Write(CaptureBytes()
                                     .PcapHeader()
                                     .PcapRecord(1, 0, FrameOf('a'))
                                     .PcapRecord(1, 0, "short")
                                     .PcapRecord(1, 0, FrameOf('b', 1515))
                                     .PcapRecord(1, 0, FrameOf('c'), 1000));
  ASSERT_EQ(Run(path, {}), absl::OkStatus());
  EXPECT_EQ(recorder_.names, "ac");
  EXPECT_EQ(replay_->counts().frames, 2);
  EXPECT_EQ(replay_->counts().unsendable, 2);
  EXPECT_EQ(replay_->counts().cut, 1);
}

TEST_F(ReplayTest, AStepReturnsWhileTheNextFrameIsFarAway) {
  const std::string path = Write(
      CaptureBytes().PcapHeader().PcapRecord(1, 0, FrameOf('a')).PcapRecord(3601, 0, FrameOf('b')));
  auto replay = Replay::Open(path, {});
  ASSERT_TRUE(replay.ok());
  ASSERT_TRUE(*(*replay)->Step(recorder_));
  const int64_t before = ReadClockNs(CLOCK_MONOTONIC);
  EXPECT_TRUE(*(*replay)->Step(recorder_));
  EXPECT_LT(ReadClockNs(CLOCK_MONOTONIC) - before, 60'000 * kMillisecond);
  EXPECT_EQ(recorder_.names, "a");
}

TEST_F(ReplayTest, ADamagedFileIsAnErrorAfterItsFrames) {
  CaptureBytes bytes;
  bytes.PcapHeader().PcapRecord(1, 0, FrameOf('a')).U32(1).U32(0).U32(60).U32(60).Text("cut");
  EXPECT_FALSE(Run(Write(bytes), {}).ok());
  EXPECT_EQ(recorder_.names, "a");
}

TEST_F(ReplayTest, AnEmptyFileEndsEvenWithoutEnd) {
  EXPECT_EQ(Run(Write(CaptureBytes().PcapHeader()), {.loops = 0}), absl::OkStatus());
  EXPECT_TRUE(recorder_.finished);
}

TEST_F(ReplayTest, APipeCannotBeLooped) {
  const std::string path = folder_.File("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  std::fstream writer(path, std::ios::in | std::ios::out | std::ios::binary);
  writer << CaptureBytes().PcapHeader().bytes() << std::flush;
  const auto replay = Replay::Open(path, {.loops = 2});
  EXPECT_THAT(std::string(replay.status().message()), HasSubstr("read again"));
}

}  // namespace
}  // namespace weir::test

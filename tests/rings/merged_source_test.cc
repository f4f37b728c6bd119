#include "rings/merged_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "rings/memory_source.h"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

const uint8_t kBytes[60] = {};

Frame At(int64_t time_ns) {
  Frame frame;
  frame.data = kBytes;
  frame.captured_length = frame.wire_length = sizeof kBytes;
  frame.timestamp_ns = time_ns;
  return frame;
}

std::vector<Frame> Frames(const std::vector<int64_t>& times) {
  std::vector<Frame> frames;
  for (int64_t time : times) frames.push_back(At(time));
  return frames;
}

// A live leg whose frames arrive when the test says so.
class Leg final : public FrameSource {
 public:
  explicit Leg(int64_t hold_back_ns = 0) : hold_back_ns_(hold_back_ns) {}
  ~Leg() override { close(fd_); }

  void Arrive(const std::vector<int64_t>& times) {
    for (int64_t time : times) frames_.push_back(At(time));
    eventfd_write(fd_, 1);
  }
  void Fail(const absl::Status& status) {
    status_ = status;
    closed_ = true;
  }
  size_t lent() const { return lent_; }

  int Receive(std::span<Frame> frames) override {
    const size_t count = std::min(frames.size(), frames_.size() - next_);
    std::copy_n(frames_.begin() + static_cast<int64_t>(next_), count, frames.begin());
    next_ += count;
    lent_ += count;
    return static_cast<int>(count);
  }
  void Release() override { lent_ = 0; }
  bool ready() const override { return next_ < frames_.size(); }
  int wait_fd() const override { return fd_; }
  bool StopIntake() override { return closed_ = true; }
  bool ended() const override { return closed_ && !ready(); }
  absl::Status status() const override { return status_; }
  SourceCounters Counters() override {
    SourceCounters counters;
    counters.received = next_;
    counters.ring_dropped = 7;
    return counters;
  }
  std::span<const SourceInterface> interfaces() const override { return {&interface_, 1}; }
  int64_t hold_back_ns() const override { return hold_back_ns_; }

 private:
  int64_t hold_back_ns_;
  int fd_ = eventfd(0, EFD_NONBLOCK);
  std::vector<Frame> frames_;
  size_t next_ = 0;
  size_t lent_ = 0;
  bool closed_ = false;
  absl::Status status_;
  SourceInterface interface_;
};

int64_t clock_ns = 0;  // of the live tests

class TwoLegs {
 public:
  explicit TwoLegs(bool live, int64_t hold_back_ns = 100, int64_t slack_ns = 10) {
    std::vector<std::unique_ptr<FrameSource>> legs;
    for (Leg*& leg : legs_) {
      legs.push_back(std::make_unique<Leg>(hold_back_ns));
      leg = static_cast<Leg*>(legs.back().get());
    }
    merged_ = *MergedSource::Create(
        std::move(legs), {.live = live, .slack_ns = slack_ns, .clock = [] { return clock_ns; }});
  }
  MergedSource& merged() { return *merged_; }
  Leg& operator[](int leg) { return *legs_[leg]; }

  // The time stamps of one batch, which is then released.
  std::vector<int64_t> Batch() {
    std::vector<int64_t> times;
    Frame frames[kBatchFrames];
    const int count = merged_->Receive(frames);
    for (int i = 0; i < count; ++i) times.push_back(frames[i].timestamp_ns);
    merged_->Release();
    return times;
  }
  std::vector<int64_t> Batches() {
    std::vector<int64_t> all;
    for (;;) {
      const auto batch = Batch();
      if (batch.empty()) return all;
      all.insert(all.end(), batch.begin(), batch.end());
    }
  }

 private:
  Leg* legs_[2] = {};
  std::unique_ptr<MergedSource> merged_;
};

TEST(MergedSource, HandsOutFramesByTimeStamp) {
  TwoLegs legs(false);
  legs[0].Arrive({1, 4, 5, 9});
  legs[1].Arrive({2, 3, 6, 7});
  legs[0].StopIntake();
  legs[1].StopIntake();
  EXPECT_THAT(legs.Batches(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 9));
  EXPECT_TRUE(legs.merged().ended());
}

TEST(MergedSource, WaitsForALegThatMayHaveAnEarlierFrame) {
  TwoLegs legs(false);
  legs[0].Arrive({5, 8});
  EXPECT_THAT(legs.Batch(), IsEmpty());
  legs[1].Arrive({3, 6});
  EXPECT_THAT(legs.Batches(), ElementsAre(3, 5, 6));
  EXPECT_FALSE(legs.merged().ended());
}

TEST(MergedSource, LiveLegThatIsSilentIsWaitedForByTheClock) {
  clock_ns = 1'000;
  TwoLegs legs(true, 100, 10);
  legs[0].Arrive({950, 980});
  EXPECT_THAT(legs.Batch(), IsEmpty());
  EXPECT_EQ(legs.merged().next_due_ns(), 950 + 100 + 10);
  clock_ns = 1'059;
  EXPECT_THAT(legs.Batch(), IsEmpty());
  clock_ns = 1'060;
  EXPECT_THAT(legs.Batch(), ElementsAre(950));
  EXPECT_EQ(legs.merged().next_due_ns(), 980 + 100 + 10);
  clock_ns = 1'090;
  EXPECT_THAT(legs.Batch(), ElementsAre(980));
  EXPECT_EQ(legs.merged().next_due_ns(), INT64_MAX);
}

TEST(MergedSource, LiveLegWithALaterFrameIsNotWaitedFor) {
  clock_ns = 1'000;
  TwoLegs legs(true);
  legs[0].Arrive({950});
  legs[1].Arrive({970});
  EXPECT_THAT(legs.Batch(), ElementsAre(950));
}

TEST(MergedSource, TimeStampInTheFutureHoldsNobodyUpForLonger) {
  clock_ns = 1'000;
  TwoLegs legs(true, 100, 10);
  legs[0].Arrive({1'000'000'000});
  EXPECT_THAT(legs.Batch(), IsEmpty());
  clock_ns = 1'110;
  EXPECT_THAT(legs.Batch(), ElementsAre(1'000'000'000));
}

TEST(MergedSource, IsReadyExactlyWhenThereIsSomethingToDo) {
  TwoLegs legs(false);
  EXPECT_FALSE(legs.merged().ready());
  legs[0].Arrive({5});
  EXPECT_TRUE(legs.merged().ready());
  EXPECT_THAT(legs.Batch(), IsEmpty());
  EXPECT_FALSE(legs.merged().ready()) << "the frame waits for the other leg";
  legs[0].Arrive({6});
  EXPECT_FALSE(legs.merged().ready()) << "so does this one";
  legs[1].Arrive({7});
  EXPECT_TRUE(legs.merged().ready());
}

TEST(MergedSource, WaitHandleIsThatOfEveryLeg) {
  for (int leg : {0, 1}) {
    TwoLegs legs(false);
    pollfd waiting = {legs.merged().wait_fd(), POLLIN, 0};
    EXPECT_EQ(poll(&waiting, 1, 0), 0);
    legs[leg].Arrive({1});
    EXPECT_EQ(poll(&waiting, 1, 0), 1) << leg;
  }
}

TEST(MergedSource, LegThatFailsLeavesTheOther) {
  TwoLegs legs(false);
  legs[0].Arrive({1, 9});
  legs[0].Fail(absl::UnavailableError("interface gone"));
  legs[1].Arrive({2, 3, 11});
  EXPECT_THAT(legs.Batches(), ElementsAre(1, 2, 3, 9, 11));
  EXPECT_FALSE(legs.merged().ended());
  EXPECT_EQ(legs.merged().status().message(), "interface gone");
  legs[1].Arrive({12});
  EXPECT_THAT(legs.Batches(), ElementsAre(12));
  legs[1].StopIntake();
  EXPECT_TRUE(legs.merged().ended());
}

TEST(MergedSource, AfterStopWhatWaitsIsStillHandedOut) {
  TwoLegs legs(false);
  legs[0].Arrive({1, 2});
  EXPECT_THAT(legs.Batch(), IsEmpty());
  EXPECT_TRUE(legs.merged().StopIntake());
  EXPECT_THAT(legs.Batches(), ElementsAre(1, 2));
  EXPECT_TRUE(legs.merged().ended());
}

TEST(MergedSource, CountsWhatItHandedOut) {
  TwoLegs legs(false);
  legs[0].Arrive({1, 5, 6});
  legs[1].Arrive({2, 3});
  EXPECT_THAT(legs.Batches(), ElementsAre(1, 2, 3));
  EXPECT_EQ(legs.merged().Counters().received, 3u);
  EXPECT_EQ(legs.merged().Counters().ring_dropped, 14u);
  EXPECT_EQ(legs.merged().legs()[0]->Counters().received, 3u) << "two of them wait";
}

// Both legs busy all the time: neither ring is held for longer than it takes to hand out what one
// read brought.
TEST(MergedSource, GivesTheRingsBackWhileBothLegsAreBusy) {
  TwoLegs legs(false);
  std::vector<int64_t> times[2];
  std::mt19937 random(5);
  for (int64_t time = 0; time < 10'000; ++time) times[random() % 2].push_back(time);
  for (int leg : {0, 1}) legs[leg].Arrive(times[leg]);
  int64_t expected = 0;
  for (auto batch = legs.Batch(); !batch.empty(); batch = legs.Batch()) {
    for (int64_t time : batch) ASSERT_EQ(time, expected++);
    for (int leg : {0, 1}) ASSERT_LE(legs[leg].lent(), size_t{kBatchFrames});
  }
  EXPECT_GT(expected, 9'900);
}

// Blocks of any size, in any order of arrival: the same frames in the same order.
TEST(MergedSource, ArrivalDoesNotMatter) {
  std::mt19937 random(11);
  for (int round = 0; round < 50; ++round) {
    std::vector<int64_t> all, times[2];
    for (int64_t time = 1; time <= 2'000; ++time) {
      all.push_back(time);
      times[random() % 4 == 0].push_back(time);
    }
    std::vector<std::unique_ptr<FrameSource>> sources;
    MemorySource* legs[2];
    for (int leg : {0, 1}) {
      auto source = MemorySource::Create({.block_bytes = 4096, .block_count = 2});
      legs[leg] = source->get();
      sources.push_back(*std::move(source));
    }
    auto merged = *MergedSource::Create(std::move(sources), {});
    std::vector<int64_t> out;
    size_t sent[2] = {};
    Frame frames[kBatchFrames];
    while (!merged->ended()) {
      const int leg = random() % 2;
      const auto rest = Frames(times[leg]);
      const size_t some = std::min<size_t>(random() % 200, rest.size() - sent[leg]);
      sent[leg] += legs[leg]->Refill(std::span(rest).subspan(sent[leg], some));
      if (sent[leg] == rest.size()) legs[leg]->End();
      const int count = merged->Receive(std::span(frames).first(1 + random() % kBatchFrames));
      for (int i = 0; i < count; ++i) out.push_back(frames[i].timestamp_ns);
      merged->Release();
    }
    ASSERT_THAT(out, ElementsAreArray(all));
  }
}

TEST(MergedSource, FramesNameTheInterfaceOfTheirLeg) {
  std::vector<std::unique_ptr<FrameSource>> sources;
  int64_t time = 1;
  for (const char* name : {"left", "right"}) {
    MemorySourceOptions options;
    options.name = name;
    sources.push_back(*MemorySource::FromFrames(Frames({time++}), options));
  }
  auto merged = *MergedSource::Create(std::move(sources), {});
  std::vector<std::string> names;
  Frame frames[kBatchFrames];
  while (const int count = merged->Receive(frames)) {
    for (int i = 0; i < count; ++i)
      names.push_back(merged->interfaces()[frames[i].interface_index].name);
  }
  EXPECT_THAT(names, ElementsAre("left", "right"));
}

}  // namespace
}  // namespace weir

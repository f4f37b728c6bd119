#include "rings/reopening_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rings/clock.h"
#include "tests/support/eventually.h"

namespace weir {
namespace {

using testing::HasSubstr;

// Some frames, and then the end that the test chooses.
class Scripted final : public FrameSource {
 public:
  explicit Scripted(int frames, uint16_t link_type = link_type::kEthernet)
      : left_(frames), fd_(eventfd(1, 0)), interface_{"tap0", link_type, 0} {}
  ~Scripted() override { close(fd_); }
  void End(absl::Status status) {
    status_ = std::move(status);
    ended_ = true;
  }

  int Receive(std::span<Frame> frames) override {
    if (left_ == 0) return 0;
    frames[0].data = &byte_;
    frames[0].captured_length = frames[0].wire_length = 1;
    --left_;
    ++received_;
    return 1;
  }
  void Release() override {}
  bool ready() const override { return left_ > 0; }
  int wait_fd() const override { return fd_; }
  bool ended() const override { return ended_ && left_ == 0; }
  absl::Status status() const override { return status_; }
  SourceCounters Counters() override {
    SourceCounters counters;
    counters.received = received_;
    counters.ring_dropped = 3;
    return counters;
  }
  std::span<const SourceInterface> interfaces() const override { return {&interface_, 1}; }

 private:
  int left_;
  int fd_;
  uint8_t byte_ = 7;
  uint64_t received_ = 0;
  bool ended_ = false;
  absl::Status status_;
  SourceInterface interface_;
};

class ReopeningSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    auto first = std::make_unique<Scripted>(2);
    first_ = first.get();
    auto source = ReopeningSource::Create(std::move(first),
                                          [this]() -> absl::StatusOr<std::unique_ptr<FrameSource>> {
                                            ++asked_;
                                            if (next_ == nullptr)
                                              return absl::NotFoundError("there is no tap0");
                                            return std::move(next_);
                                          });
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
  }

  int Poll() {
    source_->Release();
    Frame frames[4];
    return source_->Receive(frames);
  }
  int PollUntilFrames() {
    int count = 0;
    test::Eventually([&] { return (count = Poll()) > 0; });
    return count;
  }
  void Remove() { first_->End(absl::UnavailableError("interface tap0 was removed")); }

  Scripted* first_ = nullptr;
  std::unique_ptr<FrameSource> next_;
  int asked_ = 0;
  std::unique_ptr<ReopeningSource> source_;
};

TEST_F(ReopeningSourceTest, GoesOnWithTheNextOneAndCountsOn) {
  EXPECT_EQ(Poll() + Poll(), 2);
  Remove();
  EXPECT_EQ(Poll(), 0);
  EXPECT_FALSE(source_->ended());
  EXPECT_THAT(std::string(source_->status().message()), HasSubstr("waiting for it to come back"));
  next_ = std::make_unique<Scripted>(1);
  EXPECT_EQ(PollUntilFrames(), 1);
  EXPECT_TRUE(source_->status().ok());
  EXPECT_EQ(source_->Counters().received, 3u);
  EXPECT_EQ(source_->Counters().ring_dropped, 6u);
}

TEST_F(ReopeningSourceTest, WhatIsBorrowedStaysUntilItIsReleased) {
  Frame frames[4];
  ASSERT_EQ(source_->Receive(frames), 1);
  Frame last[4];
  ASSERT_EQ(source_->Receive(last), 1);
  Remove();
  ASSERT_EQ(source_->Receive(frames), 0);
  EXPECT_EQ(*last[0].data, 7);  // the address sanitizer looks, too
}

TEST_F(ReopeningSourceTest, AsksNowAndThenAndTellsWhen) {
  Poll(), Poll();
  Remove();
  EXPECT_EQ(source_->next_due_ns(), 0) << "to be let go at once";
  const int64_t before_ns = ReadClockNs(CLOCK_REALTIME);
  Poll();
  EXPECT_GE(source_->next_due_ns(), before_ns);
  EXPECT_LE(source_->next_due_ns(), ReadClockNs(CLOCK_REALTIME) + ReopeningSource::kRetryNs);
  for (int i = 0; i < 100; ++i) Poll();
  EXPECT_LE(asked_, 1 + (ReadClockNs(CLOCK_REALTIME) - before_ns) / ReopeningSource::kRetryNs);
}

TEST_F(ReopeningSourceTest, AnyOtherEndIsTheEnd) {
  Poll(), Poll();
  first_->End(absl::InternalError("the ring is broken"));
  EXPECT_EQ(Poll(), 0);
  EXPECT_TRUE(source_->ended());
  EXPECT_THAT(std::string(source_->status().message()), HasSubstr("broken"));
}

TEST_F(ReopeningSourceTest, StoppedWhileTheInterfaceIsAway) {
  Poll(), Poll();
  Remove();
  Poll();
  EXPECT_FALSE(source_->StopIntake());
  EXPECT_TRUE(source_->ended());
  EXPECT_TRUE(source_->status().ok());
}

TEST_F(ReopeningSourceTest, AnotherKindOfInterfaceIsNotTaken) {
  Poll(), Poll();
  Remove();
  Poll();
  next_ = std::make_unique<Scripted>(1, link_type::kRaw);
  test::Eventually([&] {
    Poll();
    return asked_ > 0;
  });
  EXPECT_EQ(asked_, 1);
  EXPECT_THAT(std::string(source_->status().message()), HasSubstr("another kind"));
}

}  // namespace
}  // namespace weir

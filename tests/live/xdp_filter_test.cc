// Filters in the XDP program: the same verdicts as everywhere, live, and exact counts while lists
// are exchanged under traffic.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/live/xdp_fixture.h"
#include "tests/support/filter_frames.h"
#include "tests/support/filter_mix.h"

namespace weir::test {
namespace {

using testing::SizeIs;

std::shared_ptr<const FilterRules> Share(FilterRules rules) {
  return std::make_shared<const FilterRules>(std::move(rules));
}

class XdpFilterTest : public XdpTest {
 protected:
  void Open(FilterRules rules) {
    options_.rules = Share(std::move(rules));
    MustOpen();
  }
};

TEST_F(XdpFilterTest, WithoutRulesThereIsNoFilter) {
  MustOpen();
  EXPECT_EQ(group_.filters, nullptr);
  sender_->Send(UdpFrame(10));
  EXPECT_THAT(Receive(1), SizeIs(1));
  EXPECT_EQ(source().Counters().KernelFilteredTotal(), 0u);
}

TEST_F(XdpFilterTest, SaysWhatUserSpaceSaysOfGeneratedFrames) {
  FilterFrames frames(12);
  Open({});
  FilterCounts refused{};
  for (int round = 0; round < 20 && !HasFailure(); ++round) {
    const FilterRules rules = frames.Rules();
    ASSERT_TRUE(group_.filters->Use(Share(rules)).ok());
    std::vector<Bytes> wanted;
    for (int i = 0; i < 60; ++i) {
      const Bytes frame = frames.Next();
      sender_->Send(frame);
      if (const auto why = rules.WhyRefused(AsFrame(frame))) {
        ++refused[static_cast<size_t>(*why)];
      } else {
        wanted.push_back(frame);
      }
    }
    std::vector<Bytes> got;
    for (Received& one : Receive(wanted.size())) got.push_back(std::move(one.bytes));
    EXPECT_EQ(got, wanted);
  }
  EXPECT_EQ(source().Counters().kernel_filtered, refused);
}

TEST_F(XdpFilterTest, ListsAreExchangedAHundredTimesUnderTrafficAndEveryFrameIsCounted) {
  options_.ring_bytes = 16 << 20;
  Open(Mix::Rules(false, 0));
  const std::vector<Bytes> frames = Mix::Frames();
  std::atomic<bool> stop{false}, changed{false};
  std::atomic<uint64_t> rounds{0};
  std::thread sender([&] {
    while (!stop.load()) {
      for (const Bytes& frame : frames) sender_->Send(frame);
      ++rounds;
    }
  });
  std::thread changer([&] {
    for (int i = 1; i <= 100; ++i) {
      EXPECT_TRUE(group_.filters->Use(Share(Mix::Rules(i % 2 == 1, 1000))).ok());
    }
    changed = true;
  });
  uint64_t received = 0, disputed = 0;
  const auto take = [&] {
    Frame batch[kBatchFrames];
    const int count = source().Receive(batch);
    for (int i = 0; i < count; ++i, ++received) disputed += Mix::Disputed(batch[i]);
    source().Release();
    return count;
  };
  while (!changed.load()) take();
  changer.join();
  stop = true;
  sender.join();
  for (int quiet = 0; quiet < 20; ++quiet) {
    if (take() > 0) quiet = 0;
    usleep(1000);
  }
  EXPECT_EQ(*source().Counters().ring_dropped, 0u);
  Mix::ExpectExact(source().Counters(), rounds, disputed);
  EXPECT_EQ(received, 2 * rounds + disputed);
}

}  // namespace
}  // namespace weir::test

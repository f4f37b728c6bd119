#include "tools/load/search/no_loss_search.h"

#include <gtest/gtest.h>

#include <cmath>

namespace weir::load {
namespace {

// A receiver that takes so much, and a sender that is so fast.
struct Machine {
  double receiver = 0;
  double sender = 2e6;
  int noise = 0;  // each so-many-th trial loses a frame whatever the rate; 0: none
  int pause = 0;  // in all but each so-many-th trial the sender is a third slower; 0: in none
  int trials = 0;

  absl::StatusOr<Trial> Run(double rate) {
    ++trials;
    const double fastest = pause > 0 && trials % pause != 0 ? sender * 2 / 3 : sender;
    Trial trial = {.wanted = rate, .sent_at = rate == 0 ? fastest : std::min(rate, fastest)};
    trial.frames = static_cast<uint64_t>(trial.sent_at);
    const double lost = std::max(trial.sent_at - receiver, 0.0);
    trial.lost = static_cast<uint64_t>(std::ceil(lost));
    if (noise > 0 && trials % noise == 0) ++trial.lost;
    return trial;
  }
  NoLossRate Search(SearchOptions options = {}) {
    auto result = SearchNoLossRate(options, [this](double rate) { return Run(rate); });
    EXPECT_TRUE(result.ok()) << result.status();
    return *result;
  }
};

TEST(NoLossSearchTest, FindsWhatTheReceiverTakes) {
  for (const double limit : {1'999e3, 1'100e3, 123'456.0, 5'000.0}) {
    Machine machine{.receiver = limit};
    const NoLossRate rate = machine.Search();
    EXPECT_LE(rate.frames_per_second, limit);
    EXPECT_GE(rate.frames_per_second, limit / 1.0101);
    EXPECT_FALSE(rate.limited_by_sender);
    EXPECT_EQ(rate.trials.size(), static_cast<size_t>(machine.trials));
  }
}

TEST(NoLossSearchTest, ASlowSenderIsNotTakenForASlowReceiver) {
  Machine machine{.receiver = 5e6, .sender = 1e6};
  const NoLossRate rate = machine.Search();
  EXPECT_TRUE(rate.limited_by_sender);
  EXPECT_EQ(rate.frames_per_second, 1e6);
  EXPECT_EQ(machine.trials, 3 * SearchOptions{}.tries);
}

TEST(NoLossSearchTest, TheSendersCeilingIsItsBestNotItsFirst) {
  Machine machine{.receiver = 5e6, .pause = 3};
  const NoLossRate rate = machine.Search({.resolution = 0.001});
  EXPECT_EQ(rate.sender_ceiling, 2e6);
  EXPECT_EQ(rate.frames_per_second, 2e6);
  EXPECT_TRUE(rate.limited_by_sender);
}

// Slow trials, which lose nothing, say nothing about the rate that was asked for.
TEST(NoLossSearchTest, ARateThatWasNotReachedHasNotPassed) {
  Machine machine{.receiver = 1.6e6, .pause = 4};
  const NoLossRate rate = machine.Search();
  EXPECT_LE(rate.frames_per_second, 1.6e6);
  EXPECT_GE(rate.frames_per_second, 1.6e6 / 1.0101);
  EXPECT_FALSE(rate.limited_by_sender);
}

TEST(NoLossSearchTest, ALossNowAndThenIsNotALimit) {
  Machine machine{.receiver = 1e6, .noise = 4};
  EXPECT_GE(machine.Search().frames_per_second, 1e6 / 1.0101);
}

TEST(NoLossSearchTest, AReceiverThatAlwaysLosesHasNoRate) {
  Machine machine{.receiver = 10};
  const NoLossRate rate = machine.Search();
  EXPECT_EQ(rate.frames_per_second, 0);
  EXPECT_LT(machine.trials, 60);
}

TEST(NoLossSearchTest, AFailedTrialEndsTheSearch) {
  const auto result = SearchNoLossRate(
      {}, [](double) { return absl::StatusOr<Trial>(absl::UnavailableError("no wire")); });
  EXPECT_EQ(result.status().message(), "no wire");
}

}  // namespace
}  // namespace weir::load

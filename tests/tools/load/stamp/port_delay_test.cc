#include "tools/load/stamp/port_delay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>

#include "tests/support/netns.h"
#include "tools/load/traffic/payload.h"

namespace weir::test {
namespace {

using load::StampClock;
using testing::HasSubstr;

// A veth pair in one namespace: its driver stamps in software, it has no clock of its own.
class PortDelayTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    name_space_.emplace();
    name_space_->Ip("link add tx0 type veth peer name rx0");
    name_space_->Ip("link set tx0 up");
    name_space_->Ip("link set rx0 up");
    scope_.reset(new NetNamespace::Scope(name_space_->Enter()));
  }

  static std::array<uint8_t, load::kProbeFrameBytes> Probe(uint64_t number) {
    std::array<uint8_t, load::kProbeFrameBytes> frame{};
    frame.fill(0xff);
    const load::ProbePayload payload = {.mark = load::kProbeMark, .number = number, .sent_ns = 1};
    std::memcpy(frame.data() + load::kProbeOffset, &payload, sizeof payload);
    return frame;
  }

  std::optional<NetNamespace> name_space_;
  std::unique_ptr<NetNamespace::Scope> scope_;
  load::PortDelayOptions options_{
      .sender = "tx0", .listener = "rx0", .clock = StampClock::kKernel, .most_probes = 100};
};

TEST_F(PortDelayTest, AnInterfaceTellsItsClocks) {
  const auto clock = load::AskClock("tx0");
  ASSERT_TRUE(clock.ok()) << clock.status();
  EXPECT_EQ(clock->hardware_clock, -1);
  EXPECT_FALSE(clock->hardware_sent || clock->hardware_received);
  EXPECT_TRUE(clock->kernel_sent);
  EXPECT_THAT(load::AskClock("none").status().message(), HasSubstr("none"));
}

TEST_F(PortDelayTest, TheKernelStampsProbesAtBothEnds) {
  auto delay = load::PortDelay::Open(options_);
  ASSERT_TRUE(delay.ok()) << delay.status();
  constexpr uint64_t kProbes = 40;
  for (uint64_t number = 0; number < kProbes; ++number) {
    ASSERT_TRUE((*delay)->Send(Probe(number)).ok());
    auto other = Probe(number);
    other[load::kProbeOffset] = 0;
    ASSERT_TRUE((*delay)->Send(other).ok());
  }
  load::PortDelays found;
  for (int i = 0; i < 200 && found.delays.count() < kProbes; ++i) {
    usleep(5'000);
    const load::PortDelays more = (*delay)->Take();
    found.delays.Add(more.delays);
    found.unpaired += more.unpaired;
    found.negative += more.negative;
  }
  EXPECT_EQ(found.delays.count(), kProbes);
  EXPECT_EQ(found.unpaired, 0u);
  EXPECT_EQ(found.negative, 0u);
  EXPECT_GT(found.delays.sum_ns(), 0u);
  EXPECT_LT(found.delays.Quantile(1), 1'000'000'000);
}

TEST_F(PortDelayTest, HardwareThatIsNotThereIsRefusedWithWhatToDo) {
  options_.clock = StampClock::kHardware;
  EXPECT_THAT(load::PortDelay::Open(options_).status().message(),
              HasSubstr("tx0 has no hardware clock (ethtool -T tx0): --timestamps kernel"));
}

TEST_F(PortDelayTest, ADriverThatDoesNotSwitchOnSaysSo) {
  EXPECT_THAT(load::HardwareStamping::SwitchOn("tx0").status().message(),
              HasSubstr("tx0 does not switch hardware time stamps on"));
}

TEST_F(PortDelayTest, TheBestClockIsTakenAndWhyNoBetterOneIsTold) {
  const load::ClockChoice best = load::BestClock(options_);
  EXPECT_EQ(best.clock, StampClock::kKernel);
  ASSERT_EQ(best.refusals.size(), 1u);
  EXPECT_THAT(best.refusals[0], HasSubstr("no hardware time stamps: tx0 has no hardware clock"));
}

}  // namespace
}  // namespace weir::test

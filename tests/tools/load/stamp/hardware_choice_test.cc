// Which pairs of ports may be asked for hardware time stamps, from what `ethtool -T` would say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/load/stamp/interface_clock.h"

namespace weir::load {
namespace {

using testing::AllOf;
using testing::HasSubstr;

InterfaceClock Port(const char* name, int clock) {
  return {.interface = name,
          .hardware_clock = clock,
          .hardware_sent = true,
          .hardware_received = true,
          .kernel_sent = true};
}

TEST(HardwareChoiceTest, TwoPortsOfOneClockCan) {
  EXPECT_EQ(WhyNotHardware(Port("tx0", 0), Port("rx0", 0), false), "");
}

TEST(HardwareChoiceTest, APortWithoutAClockIsNamed) {
  EXPECT_THAT(WhyNotHardware(Port("tx0", 0), Port("rx0", -1), true),
              AllOf(HasSubstr("rx0 has no hardware clock"), HasSubstr("--timestamps kernel")));
}

TEST(HardwareChoiceTest, TwoClocksOnlyWhereTheyAreKeptEqual) {
  EXPECT_THAT(WhyNotHardware(Port("tx0", 0), Port("rx0", 1), false),
              AllOf(HasSubstr("/dev/ptp0"), HasSubstr("/dev/ptp1"), HasSubstr("phc2sys")));
  EXPECT_EQ(WhyNotHardware(Port("tx0", 0), Port("rx0", 1), true), "");
}

TEST(HardwareChoiceTest, AListenerThatStampsOnlyPtpCannot) {
  InterfaceClock listener = Port("rx0", 0);
  listener.hardware_received = false;
  EXPECT_THAT(WhyNotHardware(Port("tx0", 0), listener, false), HasSubstr("all that it receives"));
  EXPECT_EQ(WhyNotHardware(listener, Port("rx1", 0), false), "");  // it need not, to send
}

TEST(HardwareChoiceTest, ASenderThatDoesNotStampCannot) {
  InterfaceClock sender = Port("tx0", 0);
  sender.hardware_sent = sender.kernel_sent = false;
  EXPECT_THAT(WhyNotHardware(sender, Port("rx0", 0), false), HasSubstr("tx0"));
  EXPECT_THAT(WhyNotKernel(sender), HasSubstr("--timestamps process"));
  EXPECT_EQ(WhyNotKernel(Port("tx0", 0)), "");
}

}  // namespace
}  // namespace weir::load

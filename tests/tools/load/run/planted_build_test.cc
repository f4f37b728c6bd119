// weir-load, the whole program, built with an engine that has a fault: it must find it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/shell.h"

namespace weir::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Said Run(const std::string& program, const std::string& traffic) {
  return RunShell(program + " memory " + traffic);
}

// The same traffic through a sound engine is as it was sent: the fault is the fault's.
void ExpectFound(const std::string& faulty, const std::string& traffic, const std::string& line) {
  const Said sound = Run(WEIR_load_sound, traffic);
  EXPECT_EQ(sound.status, 0) << sound.text;
  EXPECT_THAT(sound.text, HasSubstr("All of it is as it was sent."));
  const Said found = Run(faulty, traffic);
  EXPECT_EQ(found.status, 1) << found.text;
  EXPECT_THAT(found.text, AllOf(HasSubstr("WRONG"), HasSubstr(line)));
}

TEST(PlantedBuildTest, OneFrameInAMillionThatIsDroppedIsFound) {
  ExpectFound(WEIR_load_loses_frame, "--packets 1M --flows 500 --payload 64",
              "1 frames are missing, and no counter names them");
}

TEST(PlantedBuildTest, OneByteThatIsDeliveredWrongIsFound) {
  ExpectFound(WEIR_load_spoils_byte, "--packets 50k --flows 500", "1 deliveries hold a wrong byte");
}

TEST(PlantedBuildTest, OneFlowThatIsLostIsFound) {
  ExpectFound(WEIR_load_loses_flow, "--packets 50k --flows 500", "1 flows were not found");
}

}  // namespace
}  // namespace weir::test

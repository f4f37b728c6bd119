#include "rings/packet_fanout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

using testing::HasSubstr;

TEST(CheckFanoutTest, RolloverTwiceIsRefusedBeforeTheKernelDoes) {
  const auto status = CheckFanout({.mode = FanoutMode::kRollover, .rollover = true}, 4);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("rollover flag"));
  EXPECT_TRUE(CheckFanout({.mode = FanoutMode::kRollover}, 4).ok());
  EXPECT_TRUE(CheckFanout({.mode = FanoutMode::kHash, .rollover = true}, 4).ok());
}

TEST(CheckFanoutTest, AGroupHasOneToTwoHundredFiftySixSockets) {
  EXPECT_FALSE(CheckFanout({}, 0).ok());
  EXPECT_TRUE(CheckFanout({}, 1).ok());
  EXPECT_TRUE(CheckFanout({}, kMostFanoutSockets).ok());
  EXPECT_FALSE(CheckFanout({}, kMostFanoutSockets + 1).ok());
}

}  // namespace
}  // namespace weir

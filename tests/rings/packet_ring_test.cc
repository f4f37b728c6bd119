#include "rings/packet_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

using testing::HasSubstr;

std::string Complaint(const RingGeometry& geometry) {
  const absl::Status status = CheckGeometry(geometry);
  return status.ok() ? "" : std::string(status.message());
}

TEST(RingGeometryTest, DefaultIsGood) { EXPECT_EQ(Complaint({}), ""); }

TEST(RingGeometryTest, ABlockMustHold64KiB) {
  EXPECT_THAT(Complaint({.block_bytes = 64 << 10}), HasSubstr("cannot hold a frame of 64 KiB"));
  EXPECT_EQ(Complaint({.block_bytes = 68 << 10}), "");
}

TEST(RingGeometryTest, ABlockIsWholePages) {
  EXPECT_THAT(Complaint({.block_bytes = 100'000}), HasSubstr("multiple of the page size"));
}

TEST(RingGeometryTest, ARingHasTwoBlocks) {
  EXPECT_THAT(Complaint({.ring_bytes = 1 << 20, .block_bytes = 1 << 20}),
              HasSubstr("less than 2 blocks"));
  EXPECT_EQ(Complaint({.ring_bytes = 2 << 20, .block_bytes = 1 << 20}), "");
}

TEST(RingGeometryTest, SizesBeyondTheKernelsInterfaceAreRefused) {
  EXPECT_THAT(Complaint({.ring_bytes = size_t{1} << 50, .block_bytes = 1 << 20}),
              HasSubstr("larger than the kernel's interface"));
}

}  // namespace
}  // namespace weir

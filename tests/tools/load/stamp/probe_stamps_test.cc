#include "tools/load/stamp/probe_stamps.h"

#include <gtest/gtest.h>
#include <linux/errqueue.h>

#include <array>
#include <cstring>

#include "tools/load/traffic/payload.h"

namespace weir::load {
namespace {

// A message as recvmsg(2) fills it for a socket that asked for SO_TIMESTAMPING.
class StampedMessage {
 public:
  StampedMessage(timespec software, timespec hardware, int type = SCM_TIMESTAMPING) {
    const scm_timestamping stamps = {{software, {}, hardware}};
    message_.msg_control = control_.data();
    message_.msg_controllen = CMSG_SPACE(sizeof stamps);
    cmsghdr* const header = CMSG_FIRSTHDR(&message_);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof stamps);
    std::memcpy(CMSG_DATA(header), &stamps, sizeof stamps);
  }
  const msghdr& get() const { return message_; }

 private:
  alignas(cmsghdr) std::array<char, 256> control_{};
  msghdr message_{};
};

std::array<uint8_t, kProbeFrameBytes> ProbeFrame(uint64_t number) {
  std::array<uint8_t, kProbeFrameBytes> frame{};
  const ProbePayload payload = {.mark = kProbeMark, .number = number, .sent_ns = 1};
  std::memcpy(frame.data() + kProbeOffset, &payload, sizeof payload);
  return frame;
}

TEST(ReadStampTest, TheHardwaresStampStandsApartFromTheKernels) {
  const auto both = ReadStamp(StampedMessage({1, 5}, {2, 7}).get(), ProbeFrame(9));
  ASSERT_TRUE(both);
  EXPECT_EQ(both->number, 9u);
  EXPECT_EQ(both->kernel_ns, 1'000'000'005);
  EXPECT_EQ(both->hardware_ns, 2'000'000'007);
  const auto hardware = ReadStamp(StampedMessage({}, {2, 7}).get(), ProbeFrame(9));
  ASSERT_TRUE(hardware);
  EXPECT_EQ(hardware->kernel_ns, 0);
}

TEST(ReadStampTest, AFrameWithoutAStampOrThatIsNoProbeIsNothing) {
  EXPECT_FALSE(ReadStamp(StampedMessage({}, {}).get(), ProbeFrame(9)));
  EXPECT_FALSE(ReadStamp(StampedMessage({1, 5}, {2, 7}, SCM_RIGHTS).get(), ProbeFrame(9)));
  EXPECT_FALSE(ReadStamp(msghdr{}, ProbeFrame(9)));
  auto other = ProbeFrame(9);
  other[kProbeOffset] ^= 1;
  EXPECT_FALSE(ReadStamp(StampedMessage({1, 5}, {}).get(), other));
  EXPECT_FALSE(ReadStamp(StampedMessage({1, 5}, {}).get(), std::span(other).first(60)));
}

TEST(PairStampsTest, TheDelayIsTheDifferenceOfTwoStampsOfOneClock) {
  // The kernel's stamps would give 500 each.
  const std::vector<ProbeStamp> sent = {{0, 1'000, 7'000}, {1, 2'000, 8'000}, {2, 3'000, 9'000}};
  const std::vector<ProbeStamp> received = {
      {1, 2'500, 8'013}, {0, 1'500, 7'021}, {2, 3'500, 9'031}};
  const PortDelays hardware = PairStamps(sent, received, StampClock::kHardware);
  EXPECT_EQ(hardware.clock, StampClock::kHardware);
  EXPECT_EQ(hardware.delays.count(), 3u);
  EXPECT_EQ(hardware.delays.sum_ns(), 13u + 21 + 31);
  EXPECT_EQ(hardware.delays.Quantile(0.5), 21);
  EXPECT_EQ(hardware.delays.Quantile(1), 31);
  EXPECT_EQ(hardware.unpaired, 0u);
  EXPECT_EQ(PairStamps(sent, received, StampClock::kKernel).delays.sum_ns(), 1'500u);
}

TEST(PairStampsTest, AStampOfAnotherClockPairsWithNothing) {
  // The card missed the first as it left: what the kernel says of it is not taken instead.
  const PortDelays found =
      PairStamps({{0, 1'000, 0}, {1, 2'000, 8'000}},
                 {{0, 1'500, 7'021}, {1, 2'500, 8'013}, {2, 3'500, 9'000}}, StampClock::kHardware);
  EXPECT_EQ(found.delays.count(), 1u);
  EXPECT_EQ(found.delays.sum_ns(), 13u);
  EXPECT_EQ(found.unpaired, 2u);
}

TEST(PairStampsTest, OfACopyTheFirstCounts) {
  const PortDelays found =
      PairStamps({{4, 0, 100}}, {{4, 0, 110}, {4, 0, 190}}, StampClock::kHardware);
  EXPECT_EQ(found.delays.sum_ns(), 10u);
  EXPECT_EQ(found.unpaired, 0u);
}

TEST(PairStampsTest, ProbesThatCameInBeforeTheyLeftAreTold) {
  const PortDelays found =
      PairStamps({{0, 0, 100}, {1, 0, 200}}, {{0, 0, 90}, {1, 0, 205}}, StampClock::kHardware);
  EXPECT_EQ(found.negative, 1u);
  EXPECT_EQ(found.delays.count(), 2u);
  EXPECT_EQ(found.delays.sum_ns(), 5u);
}

}  // namespace
}  // namespace weir::load

#include "engine/stats/top_talkers.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

Talker Sent(uint32_t address, uint64_t bytes) {
  Talker talker;
  talker.family = AddressFamily::kIpv4;
  for (size_t i = 0; i < 4; ++i) talker.address[i] = static_cast<uint8_t>(address >> (24 - 8 * i));
  talker.flows = 1;
  talker.sent_packets = 1;
  talker.sent_bytes = bytes;
  return talker;
}

TEST(TopTalkers, SumsPerAddressAndSortsByBytes) {
  TopTalkers talkers;
  talkers.Add(Sent(1, 100));
  talkers.Add(Sent(2, 150));
  talkers.Add(Sent(1, 100));
  const auto top = talkers.Top(10);
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0].sent_bytes, 200u);
  EXPECT_EQ(top[0].flows, 2u);
  EXPECT_EQ(top[1].sent_bytes, 150u);
  EXPECT_EQ(talkers.missed_bytes(), 0u);
}

TEST(TopTalkers, GivesNoMoreThanAskedFor) {
  TopTalkers talkers;
  for (uint32_t i = 1; i <= 20; ++i) talkers.Add(Sent(i, i));
  const auto top = talkers.Top(3);
  ASSERT_EQ(top.size(), 3u);
  EXPECT_EQ(top[0].sent_bytes, 20u);
  EXPECT_EQ(top[2].sent_bytes, 18u);
}

TEST(TopTalkers, EqualAddressesOfTwoFamiliesAreTwo) {
  TopTalkers talkers;
  Talker mac = Sent(1, 10);
  mac.family = AddressFamily::kMac;
  talkers.Add(Sent(1, 10));
  talkers.Add(mac);
  EXPECT_EQ(talkers.addresses(), 2u);
}

TEST(TopTalkers, MemoryIsBoundedAndTheLargeStay) {
  constexpr size_t kCapacity = 1000;
  TopTalkers talkers(kCapacity);
  for (uint32_t i = 0; i < 100'000; ++i) {
    talkers.Add(Sent(i, 1));
    if (i % 10 == 0) talkers.Add(Sent(0xff000000u + i % 50, 1000));
    ASSERT_LE(talkers.addresses(), kCapacity);
  }
  const auto top = talkers.Top(5);
  uint64_t sum = 0;
  for (const Talker& talker : top) sum += talker.bytes();
  EXPECT_EQ(sum, 10'000 * 1000u) << "the five large ones were never forgotten";
  EXPECT_GT(talkers.missed_bytes(), 0u) << "and it says that it is no longer exact";
}

// Short by at most missed_bytes(), as the header says.
TEST(TopTalkers, TheErrorIsBounded) {
  TopTalkers talkers(100);
  constexpr uint64_t kEach = 7;
  for (uint32_t round = 0; round < 50; ++round) {
    talkers.Add(Sent(12345, kEach));
    for (uint32_t i = 0; i < 90; ++i) talkers.Add(Sent(round * 1000 + i, 10 + i));
  }
  uint64_t found = 0;
  for (const Talker& talker : talkers.Top(100)) {
    if (talker.address == Sent(12345, 0).address) found = talker.bytes();
  }
  EXPECT_GE(found + talkers.missed_bytes(), 50 * kEach);
}

}  // namespace
}  // namespace weir

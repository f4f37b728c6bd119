#include "engine/flow/flow_hash.h"

#include <gtest/gtest.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cstring>
#include <random>

#include "tests/support/flow_feeder.h"

namespace weir {
namespace {

using test::FlowFeeder;
using test::MakeSender;
using test::MakeSender6;
using test::Sender;

constexpr KeyRules kRules = {.seed = 0x1234567890abcdef};

class FlowHashTest : public ::testing::Test {
 protected:
  PreparedKey KeyOf(const Sender& sender, const KeyRules& rules = kRules) {
    PreparedKey key;
    PrepareKey(rules, feeder_.Make(sender, 0), 0, key);
    return key;
  }

  FlowFeeder feeder_{{.max_flows = 16}};
};

TEST_F(FlowHashTest, SixteenBytesAreHashedAsXxh3Does) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t seed = random();
    const uint64_t words[2] = {random(), random()};
    ASSERT_EQ(WordsHash(seed)(words[0], words[1]), XXH3_64bits_withSeed(words, sizeof words, seed));
  }
}

TEST_F(FlowHashTest, BothDirectionsAreOneKey) {
  std::mt19937 random(2);
  for (int i = 0; i < 1000; ++i) {
    const auto port = [&random] { return static_cast<uint16_t>(random()); };
    const uint32_t address = random();
    const Sender sender =
        MakeSender(ip_protocol::kTcp, address, port(), i % 3 == 0 ? address : random(), port());
    const PreparedKey there = KeyOf(sender);
    const PreparedKey back = KeyOf(sender.Reverse());
    ASSERT_EQ(std::memcmp(&there.key, &back.key, sizeof there.key), 0);
    ASSERT_EQ(there.hash, back.hash);
    ASSERT_NE(there.side, back.side);
  }
}

TEST_F(FlowHashTest, BothDirectionsAreOneKeyWithIpv6) {
  std::mt19937 random(3);
  for (int i = 0; i < 1000; ++i) {
    Sender sender = MakeSender6(ip_protocol::kUdp, random(), static_cast<uint16_t>(random()),
                                random(), static_cast<uint16_t>(random()));
    // They differ in any byte, the last ones alone, or not at all.
    if (i % 3 == 0) sender.destination = sender.source;
    if (i % 3 == 1) sender.destination[random() % 16] = static_cast<uint8_t>(random());
    const PreparedKey there = KeyOf(sender);
    const PreparedKey back = KeyOf(sender.Reverse());
    ASSERT_EQ(std::memcmp(&there.key, &back.key, sizeof there.key), 0);
    ASSERT_EQ(there.hash, back.hash);
    const bool same_ends =
        sender.source == sender.destination && sender.source_port == sender.destination_port;
    ASSERT_EQ(there.side == back.side, same_ends);
    ASSERT_LE(std::memcmp(there.address_a, there.address_b, 16), 0);
  }
}

// One bit more or less anywhere is another hash, and half of its bits.
TEST_F(FlowHashTest, EachBitOfAnIpv6KeyCounts) {
  const Sender sender = MakeSender6(ip_protocol::kTcp, 0x0a000001, 1000, 0x0a000002, 80);
  const uint64_t hash = KeyOf(sender).hash;
  double changed = 0;
  for (int bit = 0; bit < 288; ++bit) {
    Sender other = sender;
    const auto flip = static_cast<uint8_t>(1 << bit % 8);
    if (bit < 128) {
      other.source[static_cast<size_t>(bit / 8)] ^= flip;
    } else if (bit < 256) {
      other.destination[static_cast<size_t>(bit / 8 - 16)] ^= flip;
    } else {
      (bit < 272 ? other.source_port : other.destination_port) ^=
          static_cast<uint16_t>(1 << bit % 16);
    }
    const int differ = std::popcount(hash ^ KeyOf(other).hash);
    ASSERT_GT(differ, 12) << bit;
    changed += differ;
  }
  EXPECT_NEAR(changed / 288, 32, 1.5);
}

TEST_F(FlowHashTest, HashOfAKeyThatIsInTheTable) {
  for (const Sender& sender : {MakeSender(ip_protocol::kTcp, 0x0a000001, 1000, 0x0a000002, 80),
                               MakeSender6(ip_protocol::kUdp, 0x0a000001, 1000, 0x0a000002, 80)}) {
    const PreparedKey key = KeyOf(sender);
    FlowHot hot{};
    hot.key = key.key;
    hot.protocol = key.protocol;
    hot.family = key.family;
    EXPECT_EQ(HashOf(kRules, hot), key.hash);
  }
}

TEST_F(FlowHashTest, OneDirectionIsAKeyOfItsOwnWhereItIsAskedFor) {
  const Sender sender = MakeSender(ip_protocol::kTcp, 0x0a000001, 1000, 0x0a000002, 80);
  const KeyRules rules = {.bidirectional = false, .seed = 1};
  EXPECT_NE(KeyOf(sender, rules).hash, KeyOf(sender.Reverse(), rules).hash);
  EXPECT_EQ(KeyOf(sender.Reverse(), rules).side, 0);
}

// What the packet's addresses and ports are is what the key holds, the lower end first.
TEST_F(FlowHashTest, AKeyHoldsAddressesAndPorts) {
  const Sender low = MakeSender(ip_protocol::kTcp, 0x01020304, 1000, 0x01020305, 80);
  for (const Sender& sender : {low, low.Reverse()}) {
    const CompactKey key = KeyOf(sender).key;
    EXPECT_EQ(std::memcmp(&key.a, low.source.data(), 4), 0);
    EXPECT_EQ(std::memcmp(&key.b, low.destination.data(), 4), 0);
    EXPECT_EQ(key.port_a, 1000);
    EXPECT_EQ(key.port_b, 80);
    EXPECT_EQ(key.tunnel, 0u);
  }
}

}  // namespace
}  // namespace weir

#include "engine/flow/flow_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <unordered_map>

namespace weir {
namespace {

class FlowTableTest : public ::testing::Test {
 protected:
  FlowTable& Make(uint32_t max_flows) {
    arena_ = *Arena::Create(FlowTable::MemoryBytes(max_flows));
    table_ = std::make_unique<FlowTable>(max_flows, arena_);
    return *table_;
  }
  static PreparedKey KeyOf(uint32_t number, uint64_t hash) {
    PreparedKey key;
    key.key = {number, ~number, 1, 2, 0};
    key.hash = hash;
    key.protocol = 17;
    key.family = AddressFamily::kIpv4;
    return key;
  }

  Arena arena_;
  std::unique_ptr<FlowTable> table_;
};

TEST_F(FlowTableTest, FindsWhatWasInserted) {
  FlowTable& table = Make(100);
  const PreparedKey key = KeyOf(7, 0x1234'5678'9abc'def0);
  EXPECT_EQ(table.Find(key), kNoSlot);
  const uint32_t slot = table.Insert(key);
  EXPECT_EQ(table.Find(key), slot);
  EXPECT_EQ(table.Guess(table.PrefetchGroup(key.hash), key.hash), slot);
  table.Erase(slot, key.hash);
  EXPECT_EQ(table.Find(key), kNoSlot);
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(FlowTableTest, ComparesKeysNotHashes) {
  FlowTable& table = Make(100);
  table.Insert(KeyOf(1, 42));
  EXPECT_EQ(table.Find(KeyOf(2, 42)), kNoSlot);
}

TEST_F(FlowTableTest, ComparesWholeIpv6AddressesWhenDigestsAgree) {
  FlowTable& table = Make(100);
  const uint8_t a[16] = {1}, b[16] = {2},
                other[16] = {2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
  PreparedKey key = KeyOf(1, 42);
  key.family = AddressFamily::kIpv6;
  key.address_a = a;
  key.address_b = b;
  const uint32_t slot = table.Insert(key);
  EXPECT_EQ(table.Find(key), slot);
  key.address_b = other;
  EXPECT_EQ(table.Find(key), kNoSlot);
}

// Every hash the same: one group spills into all the others, and each key is still found.
TEST_F(FlowTableTest, HoldsItsCapacityWhenAllHashesCollide) {
  constexpr uint32_t kFlows = 140;
  FlowTable& table = Make(kFlows);
  std::set<uint32_t> slots;
  for (uint32_t i = 0; i < kFlows; ++i) slots.insert(table.Insert(KeyOf(i, 99)));
  EXPECT_EQ(slots.size(), kFlows);
  EXPECT_TRUE(table.full());
  for (uint32_t i = 0; i < kFlows; i += 2) table.Erase(table.Find(KeyOf(i, 99)), 99);
  for (uint32_t i = 0; i < kFlows; ++i) {
    EXPECT_EQ(table.Find(KeyOf(i, 99)) == kNoSlot, i % 2 == 0) << i;
  }
  for (uint32_t i = 1; i < kFlows; i += 2) table.Erase(table.Find(KeyOf(i, 99)), 99);
  EXPECT_EQ(table.spilled(), 0u);
}

TEST_F(FlowTableTest, AgreesWithAMapUnderRandomInsertAndErase) {
  constexpr uint32_t kFlows = 1000;
  FlowTable& table = Make(kFlows);
  std::unordered_map<uint32_t, std::pair<uint64_t, uint32_t>> model;  // key: hash, slot
  std::mt19937_64 random(1);
  for (int step = 0; step < 300'000; ++step) {
    const auto number = static_cast<uint32_t>(random() % 1500);
    // Few distinct hashes, so that tags and groups collide often.
    const uint64_t hash = (number % 97) * 0x9e37'79b9'7f4a'7c15u;
    const PreparedKey key = KeyOf(number, hash);
    const auto known = model.find(number);
    const uint32_t found = table.Find(key);
    ASSERT_EQ(found == kNoSlot, known == model.end());
    if (known != model.end()) {
      ASSERT_EQ(found, known->second.second);
      if (random() % 2 == 0) {
        table.Erase(found, hash);
        model.erase(known);
      }
    } else if (!table.full()) {
      model[number] = {hash, table.Insert(key)};
    }
    ASSERT_EQ(table.size(), model.size());
  }
}

}  // namespace
}  // namespace weir

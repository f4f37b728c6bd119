#include "engine/flow/tunnel_table.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace weir {
namespace {

void AppendVlan(TunnelPath& path, uint16_t id) {
  const uint8_t bytes[2] = {static_cast<uint8_t>(id >> 8), static_cast<uint8_t>(id)};
  path.Append(PathElement::kVlan, bytes, 2);
}

TunnelPath VlanPath(std::initializer_list<uint16_t> ids) {
  TunnelPath path;
  for (uint16_t id : ids) AppendVlan(path, id);
  return path;
}

TunnelPath VniPath(uint32_t vni) {
  TunnelPath path;
  path.Append(PathElement::kVxlanVni, &vni, 3);
  return path;
}

bool SamePath(const TunnelPath& left, const TunnelPath& right) {
  return left.length == right.length && std::memcmp(left.bytes, right.bytes, left.length) == 0;
}

class TunnelTableTest : public ::testing::Test {
 protected:
  Arena arena_ = *Arena::Create(TunnelTable::MemoryBytes(4));
  TunnelTable table_{4, 1, arena_};
};

TEST_F(TunnelTableTest, VlanStacksOfUpToTwoTagsNeedNoEntry) {
  for (const TunnelPath& path :
       {VlanPath({}), VlanPath({5}), VlanPath({4094}), VlanPath({5, 6}), VlanPath({6, 5})}) {
    const auto id = table_.Acquire(path);
    ASSERT_TRUE(id.has_value());
    TunnelPath back;
    table_.PathOf(*id, back);
    EXPECT_TRUE(SamePath(path, back));
  }
  EXPECT_EQ(table_.entries_in_use(), 0u);
  EXPECT_NE(table_.Acquire(VlanPath({5, 6})), table_.Acquire(VlanPath({6, 5})));
}

TEST_F(TunnelTableTest, EqualPathsShareAnEntryAndOthersDoNot) {
  const auto first = table_.Acquire(VniPath(1));
  EXPECT_EQ(table_.Acquire(VniPath(1)), first);
  EXPECT_NE(table_.Acquire(VniPath(2)), first);
  EXPECT_EQ(table_.entries_in_use(), 2u);
  TunnelPath back;
  table_.PathOf(*first, back);
  EXPECT_TRUE(SamePath(back, VniPath(1)));
}

TEST_F(TunnelTableTest, AFullTableRefusesAndAnEntryIsFreeAfterItsLastUse) {
  for (uint32_t vni = 0; vni < 4; ++vni) ASSERT_TRUE(table_.Acquire(VniPath(vni)).has_value());
  EXPECT_FALSE(table_.Acquire(VniPath(9)).has_value());
  const uint32_t id = *table_.Find(VniPath(2));
  table_.Use(id);
  table_.Drop(id);
  EXPECT_FALSE(table_.Acquire(VniPath(9)).has_value());
  table_.Drop(id);
  EXPECT_FALSE(table_.Find(VniPath(2)).has_value());
  EXPECT_TRUE(table_.Acquire(VniPath(9)).has_value());
}

TEST_F(TunnelTableTest, ThreeTagsTakeAnEntry) {
  const auto id = table_.Acquire(VlanPath({1, 2, 3}));
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(table_.entries_in_use(), 1u);
  TunnelPath back;
  table_.PathOf(*id, back);
  EXPECT_TRUE(SamePath(back, VlanPath({1, 2, 3})));
}

}  // namespace
}  // namespace weir

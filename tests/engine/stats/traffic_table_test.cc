#include "engine/stats/traffic_table.h"

#include <gtest/gtest.h>

#include <random>

namespace weir {
namespace {

AddressRow Row(uint32_t number) {
  AddressRow row{AddressFamily::kIpv4, {}};
  __builtin_memcpy(row.address.data(), &number, 4);
  return row;
}

TrafficCounts Counts(uint64_t bytes) { return {{1, 2}, {bytes, 1}}; }

TEST(TrafficTableTest, CountsOfOneRowAddUp) {
  AddressTable table(10);
  table.Add(Row(1), {{1, 2}, {3, 4}});
  table.Add(Row(1), {{10, 20}, {30, 40}});
  EXPECT_EQ(table.rows().at(Row(1)), (TrafficCounts{{11, 22}, {33, 44}}));
}

TEST(TrafficTableTest, WhatFindsNoRowIsInOther) {
  AddressTable table(2);
  for (const uint32_t row : {1, 2, 3, 1, 4}) table.Add(Row(row), Counts(100));
  EXPECT_EQ(table.rows().size(), 2);
  EXPECT_EQ(table.rows().at(Row(1)).bytes[0], 200) << "a row that is there goes on";
  EXPECT_EQ(table.other().bytes[0], 200);
  EXPECT_EQ(table.Sum(), (TrafficCounts{{5, 10}, {500, 5}}));
}

TEST(TrafficTableTest, OneAddressInTwoFamiliesIsTwoRows) {
  AddressTable table(10);
  table.Add(Row(1), Counts(1));
  AddressRow mac = Row(1);
  mac.family = AddressFamily::kMac;
  table.Add(mac, Counts(1));
  EXPECT_EQ(table.rows().size(), 2);
}

TEST(TrafficTableTest, TablesAddUpWithTheirOther) {
  AddressTable left(2);
  for (const uint32_t row : {1, 2, 3}) left.Add(Row(row), Counts(10));
  AddressTable right(2);
  for (const uint32_t row : {3, 4, 5}) right.Add(Row(row), Counts(100));
  TrafficCounts sum = left.Sum();
  sum.Add(right.Sum());
  left.Add(right);
  EXPECT_EQ(left.Sum(), sum);
  EXPECT_EQ(left.rows().size(), 2);
}

TEST(TrafficTableTest, TopIsWhatSortingAllWouldGive) {
  std::mt19937 random(1);
  AddressTable table(1'000);
  std::vector<uint64_t> sizes;
  for (uint32_t i = 0; i < 1'000; ++i) {
    sizes.push_back(random() % 10'000);
    table.Add(Row(i), {{0, 0}, {sizes.back() / 2, sizes.back() - sizes.back() / 2}});
  }
  std::sort(sizes.rbegin(), sizes.rend());
  for (const size_t count : {0, 1, 17, 1'000, 2'000}) {
    std::vector<uint64_t> top;
    for (const auto* entry : table.Top(count)) {
      top.push_back(entry->second.bytes[0] + entry->second.bytes[1]);
    }
    EXPECT_EQ(top, std::vector(sizes.begin(), sizes.begin() + std::min<size_t>(count, 1'000)));
  }
}

}  // namespace
}  // namespace weir

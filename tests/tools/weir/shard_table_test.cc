#include "tools/weir/shard_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

using testing::AllOf;
using testing::HasSubstr;

ReportInput Input(uint32_t shards) {
  ReportInput input;
  input.live = true;
  input.last.elapsed_ns = 2'000'000'000;
  for (uint32_t i = 0; i < shards; ++i) {
    ShardReport& shard = input.shards.emplace_back();
    shard.shard = i;
    shard.interface = "eth0";
    shard.state = ShardState::kDone;
    shard.cpus = {static_cast<int>(4 + i)};
    shard.cpu_ns = 500'000'000;
    shard.counters.shards = 1;
    shard.counters.ledger.received = 1'000 * (i + 1);
    shard.counters.source.ring_dropped = 7 * i;
    input.last.Add(shard.counters);
  }
  return input;
}

TEST(ShardTable, HasALineForEachOfSeveral) {
  const std::string table = ShardTable(Input(3));
  EXPECT_THAT(table, AllOf(HasSubstr("   0 eth0"), HasSubstr("   2 eth0"), HasSubstr("1,000"),
                           HasSubstr("3,000"), HasSubstr("25.0 %"), HasSubstr("50.0 %"),
                           HasSubstr("14"), HasSubstr("done")));
}

TEST(ShardTable, IsLeftOutForOne) {
  EXPECT_EQ(ShardTable(Input(1)), "");
  EXPECT_EQ(ShardHints(Input(1)), "");
}

TEST(ShardTable, FailedShardIsAHintThatSaysWhatWasLost) {
  ReportInput input = Input(2);
  EXPECT_EQ(ShardHints(input), "");
  input.shards[1].state = ShardState::kFailed;
  input.shards[1].status = absl::ResourceExhaustedError("disk full");
  EXPECT_THAT(ShardHints(input), HasSubstr("shard 1 (eth0) has failed: disk full; 7 packets"));
  input.shards[1].state = ShardState::kDone;
  EXPECT_THAT(ShardHints(input), HasSubstr("shard 1 (eth0) goes on: disk full"));
}

}  // namespace
}  // namespace weir

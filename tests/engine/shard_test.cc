#include "engine/shard.h"

#include <gtest/gtest.h>

#include "engine/flow/flow_tracker.h"
#include "rings/memory_source.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

TEST(Shard, NeedsExactlyOneSource) {
  EXPECT_EQ(Shard::Create({}, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace weir

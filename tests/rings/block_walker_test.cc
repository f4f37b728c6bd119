#include "rings/block_walker.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "rings/block_writer.h"
#include "tests/support/block_check.h"

namespace weir {
namespace {

constexpr size_t kBlockBytes = 4096;
constexpr uint32_t kFrames = 12;

// A block of its own allocation, so that the address sanitizer sees each byte past it.
class BlockWalkerTest : public testing::Test {
 protected:
  BlockWalkerTest() : words_(std::make_unique<uint64_t[]>(kBlockBytes / 8)) { Write(); }

  void Write() {
    const std::vector<uint8_t> bytes(200, 0x5a);
    BlockWriter writer(block(), kBlockBytes, 1);
    for (uint32_t i = 0; i < kFrames; ++i) {
      Frame frame;
      frame.data = bytes.data();
      frame.captured_length = 60 + 10 * i;
      frame.wire_length = frame.captured_length;
      ASSERT_TRUE(writer.Append(frame));
    }
    writer.Close();
  }

  uint8_t* block() { return reinterpret_cast<uint8_t*>(words_.get()); }
  tpacket_hdr_v1& descriptor() { return reinterpret_cast<tpacket_block_desc*>(block())->hdr.bh1; }
  tpacket3_hdr& header(uint32_t index) {
    uint8_t* at = block() + descriptor().offset_to_first_pkt;
    for (; index != 0; --index) at += reinterpret_cast<tpacket3_hdr*>(at)->tp_next_offset;
    return *reinterpret_cast<tpacket3_hdr*>(at);
  }
  test::WalkedBlock Walk(int batch = kBatchFrames) {
    return test::WalkBlock(block(), kBlockBytes, batch);
  }

  std::unique_ptr<uint64_t[]> words_;
};

TEST_F(BlockWalkerTest, AGoodBlockIsWalkedToItsEnd) {
  EXPECT_EQ(Walk().frames, kFrames);
  EXPECT_EQ(Walk(1).frames, kFrames);
  EXPECT_EQ(Walk().broken, 0u);
}

TEST_F(BlockWalkerTest, ALengthBeyondTheBlockEndsIt) {
  header(3).tp_snaplen = kBlockBytes;
  EXPECT_EQ(Walk().frames, 3u);
  EXPECT_EQ(Walk().broken, 1u);
}

TEST_F(BlockWalkerTest, ALengthThatWrapsAroundEndsIt) {
  header(0).tp_snaplen = UINT32_MAX - 10;
  EXPECT_EQ(Walk().frames, 0u);
  EXPECT_EQ(Walk().broken, 1u);
}

TEST_F(BlockWalkerTest, AMacOffsetBeyondTheBlockEndsIt) {
  header(5).tp_mac = UINT16_MAX;
  EXPECT_EQ(Walk().frames, 5u);
  EXPECT_EQ(Walk().broken, 1u);
}

TEST_F(BlockWalkerTest, AChainThatStandsStillEndsIt) {
  header(3).tp_next_offset = 0;
  EXPECT_EQ(Walk().frames, 4u);
  EXPECT_EQ(Walk().broken, 1u);
}

TEST_F(BlockWalkerTest, AChainThatLeavesTheBlockEndsIt) {
  header(3).tp_next_offset = UINT32_MAX - 7;
  EXPECT_EQ(Walk().frames, 4u);
  EXPECT_EQ(Walk(1).frames, 4u);
  EXPECT_EQ(Walk().broken, 1u);
}

TEST_F(BlockWalkerTest, AnUnalignedHeaderEndsIt) {
  header(3).tp_next_offset += 3;
  EXPECT_EQ(Walk().frames, 4u);
  EXPECT_EQ(Walk().broken, 1u);
}

TEST_F(BlockWalkerTest, AFirstOffsetOutsideEndsIt) {
  descriptor().offset_to_first_pkt = kBlockBytes - 8;
  EXPECT_EQ(Walk().frames, 0u);
  descriptor().offset_to_first_pkt = 0;
  EXPECT_EQ(Walk().frames, 0u);
  EXPECT_EQ(Walk().broken, 1u);
}

TEST_F(BlockWalkerTest, MoreFramesThanThereAreEndsIt) {
  descriptor().num_pkts = UINT32_MAX;
  EXPECT_EQ(Walk().frames, kFrames);
  EXPECT_EQ(Walk().broken, 1u);
}

TEST_F(BlockWalkerTest, AnEmptyBlockIsNotBroken) {
  descriptor().num_pkts = 0;
  EXPECT_EQ(Walk().frames, 0u);
  EXPECT_EQ(Walk().broken, 0u);
}

TEST_F(BlockWalkerTest, AnOldKernelsTagWithoutTpidIs8021q) {
  header(0).tp_status |= TP_STATUS_VLAN_VALID;
  header(0).hv1.tp_vlan_tci = 7;
  BlockWalker walker;
  Frame frame;
  walker.Open(block(), kBlockBytes);
  ASSERT_EQ(walker.Fill({&frame, 1}, {}), 1);
  EXPECT_EQ(frame.vlan_tpid, 0x8100);
  EXPECT_EQ(frame.vlan_tci, 7);
  EXPECT_EQ(frame.wire_length, 64u);
}

TEST_F(BlockWalkerTest, RandomMutationsNeverLeaveTheBlock) {
  std::mt19937 random(2026);
  uint8_t* first = reinterpret_cast<uint8_t*>(&header(0));
  uint64_t broken = 0;
  for (int round = 0; round < 20'000; ++round) {
    Write();
    for (uint32_t changes = 1 + random() % 4; changes != 0; --changes) {
      // Half of the changes hit the descriptor or a header, where they count.
      uint8_t* at = block() + random() % kBlockBytes;
      if (random() % 2 == 0) {
        at = (random() % 8 == 0 ? block() : first) + random() % 48;
      }
      *at = static_cast<uint8_t>(random() % 3 == 0 ? 0xff : random());
    }
    const auto walked = Walk(1 + static_cast<int>(random() % kBatchFrames));
    ASSERT_TRUE(walked.inside) << round;
    ASSERT_LE(walked.frames, kBlockBytes / BlockWalker::kHeaderBytes) << round;
    broken += walked.broken;
  }
  EXPECT_GT(broken, 1000u);
}

}  // namespace
}  // namespace weir

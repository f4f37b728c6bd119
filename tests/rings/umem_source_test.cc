#include "rings/umem_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace weir {
namespace {

using ::testing::ElementsAre;

using Bytes = std::vector<uint8_t>;

// `size` bytes that count up from `first`.
Bytes Counting(size_t size, uint8_t first) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

Frame FrameOf(const Bytes& bytes, int64_t time_ns = 0) {
  Frame frame;
  frame.data = bytes.data();
  frame.captured_length = frame.wire_length = static_cast<uint32_t>(bytes.size());
  frame.timestamp_ns = time_ns;
  return frame;
}

std::unique_ptr<UmemSource> Source(uint32_t chunk_bytes, size_t chunks) {
  auto source =
      UmemSource::Create({.ring_bytes = chunk_bytes * chunks, .chunk_bytes = chunk_bytes});
  EXPECT_TRUE(source.ok()) << source.status();
  return *std::move(source);
}

// The next batch, its bytes copied, and released.
std::vector<Bytes> Next(FrameSource& source) {
  std::vector<Frame> frames(kBatchFrames);
  frames.resize(static_cast<size_t>(source.Receive(frames)));
  std::vector<Bytes> copies;
  for (const Frame& frame : frames)
    copies.emplace_back(frame.data, frame.data + frame.captured_length);
  source.Release();
  return copies;
}

TEST(UmemSourceTest, HandsOutTheBytesInOrder) {
  const auto source = Source(4096, 64);
  const Bytes first = Counting(60, 1), second = Counting(1514, 2);
  EXPECT_EQ(source->Refill(std::vector{FrameOf(first), FrameOf(second)}), 2u);
  EXPECT_TRUE(source->ready());
  EXPECT_THAT(Next(*source), ElementsAre(first, second));
  EXPECT_FALSE(source->ready());
}

TEST(UmemSourceTest, AFrameOfSeveralChunksComesWhole) {
  const auto source = Source(2048, 64);
  const Bytes before = Counting(100, 1), jumbo = Counting(9014, 2), after = Counting(100, 3);
  EXPECT_EQ(source->Refill(std::vector{FrameOf(before), FrameOf(jumbo), FrameOf(after)}), 3u);
  EXPECT_EQ(source->Fill().used, 2u + (9014 + 2048 - 256 - 1) / (2048 - 256));
  EXPECT_THAT(Next(*source), ElementsAre(before, jumbo, after));
}

TEST(UmemSourceTest, ATagStandsInTheBytes) {
  const auto source = Source(2048, 64);
  Bytes bytes = Counting(64, 0);
  Frame frame = FrameOf(bytes);
  frame.vlan_tpid = 0x8100;
  frame.vlan_tci = 0x0123;
  frame.wire_length += 4;
  EXPECT_EQ(source->Refill({&frame, 1}), 1u);
  const uint8_t tag[] = {0x81, 0x00, 0x01, 0x23};
  bytes.insert(bytes.begin() + 12, std::begin(tag), std::end(tag));
  EXPECT_THAT(Next(*source), ElementsAre(bytes));
}

TEST(UmemSourceTest, TheFramesOfABatchHaveTheTimeOfTheFirst) {
  const auto source = Source(2048, 64);
  const Bytes bytes = Counting(60, 0);
  source->Refill(std::vector{FrameOf(bytes, 1'000), FrameOf(bytes, 2'000)});
  std::vector<Frame> frames(kBatchFrames);
  ASSERT_EQ(source->Receive(frames), 2);
  EXPECT_EQ(frames[0].timestamp_ns, 1'000);
  EXPECT_EQ(frames[1].timestamp_ns, 1'000);
}

TEST(UmemSourceTest, ChunksAreTakenAgainOnlyOnceTheyWereReleased) {
  const auto source = Source(2048, 64);
  const Bytes bytes = Counting(60, 0);
  const std::vector<Frame> many(100, FrameOf(bytes));
  EXPECT_EQ(source->Refill(many), 64u);
  std::vector<Frame> frames(10);
  EXPECT_EQ(source->Receive(frames), 10);
  EXPECT_EQ(source->Refill(many), 0u);
  source->Release();
  EXPECT_EQ(source->Refill(many), 10u);
}

TEST(UmemSourceTest, GoesOnWhereItsIndicesWrap) {
  const auto source = Source(2048, 100);  // the rings have 128 places
  for (int lap = 0; lap < 1'000; ++lap) {
    const Bytes bytes = Counting(1 + static_cast<size_t>(lap) % 1'700, static_cast<uint8_t>(lap));
    ASSERT_EQ(source->Refill(std::vector(37, FrameOf(bytes))), 37u);
    ASSERT_EQ(Next(*source), std::vector(37, bytes));
  }
  EXPECT_EQ(source->Counters().received, 37'000u);
}

TEST(UmemSourceTest, EndsOnceAllIsHandedOut) {
  const auto source = Source(2048, 64);
  const Bytes bytes = Counting(60, 0);
  source->Refill(std::vector{FrameOf(bytes)});
  source->End();
  EXPECT_FALSE(source->ended());
  Next(*source);
  EXPECT_TRUE(source->ended());
}

TEST(UmemSourceTest, TakesTheChunksOfAfXdpOnly) {
  for (const uint32_t bytes : {0u, 1024u, 3000u, 8192u})
    EXPECT_FALSE(UmemSource::Create({.chunk_bytes = bytes}).ok()) << bytes;
  EXPECT_FALSE(UmemSource::Create({.ring_bytes = 4096, .chunk_bytes = 2048}).ok());
}

}  // namespace
}  // namespace weir

#include "rings/memory_source.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace weir {
namespace {

// Frames of `lengths` bytes, each filled with its own number.
class Trace {
 public:
  explicit Trace(const std::vector<uint32_t>& lengths) {
    for (uint32_t length : lengths) {
      auto number = static_cast<uint8_t>(bytes_.size());
      bytes_.emplace_back(length, number);
    }
    for (const std::vector<uint8_t>& bytes : bytes_) {
      Frame frame;
      frame.data = bytes.data();
      frame.captured_length = static_cast<uint32_t>(bytes.size());
      frame.wire_length = frame.captured_length;
      frame.timestamp_ns = 1'700'000'000'123'456'789 + static_cast<int64_t>(frames_.size());
      frames_.push_back(frame);
    }
  }
  std::vector<Frame>& frames() { return frames_; }

 private:
  std::vector<std::vector<uint8_t>> bytes_;
  std::vector<Frame> frames_;
};

// Everything a source hands out, with the bytes copied, in batches of `batch`.
std::vector<std::vector<uint8_t>> Drain(FrameSource& source, int batch = kBatchFrames) {
  std::vector<std::vector<uint8_t>> out;
  std::vector<Frame> frames(static_cast<size_t>(batch));
  while (int count = source.Receive(frames)) {
    for (int i = 0; i < count; ++i) {
      out.emplace_back(frames[i].data, frames[i].data + frames[i].captured_length);
    }
    source.Release();
  }
  return out;
}

std::unique_ptr<MemorySource> FromFrames(std::span<const Frame> frames,
                                         MemorySourceOptions options = {}) {
  auto source = MemorySource::FromFrames(frames, options);
  EXPECT_TRUE(source.ok()) << source.status();
  return *std::move(source);
}

TEST(MemorySourceTest, HandsOutMetadataAsWritten) {
  Trace trace({100});
  Frame& sent = trace.frames()[0];
  sent.vlan_tpid = 0x88a8;
  sent.vlan_tci = 0x6064;
  sent.wire_length = 1504;
  sent.direction = FrameDirection::kOutgoing;
  sent.checksum = ChecksumStatus::kNotReady;
  auto source = FromFrames(trace.frames());
  Frame got;
  ASSERT_EQ(source->Receive({&got, 1}), 1);
  EXPECT_EQ(got.timestamp_ns, sent.timestamp_ns);
  EXPECT_EQ(got.captured_length, 100u);
  EXPECT_EQ(got.wire_length, 1504u);
  EXPECT_EQ(got.vlan_tpid, 0x88a8);
  EXPECT_EQ(got.vlan_tci, 0x6064);
  EXPECT_EQ(got.direction, FrameDirection::kOutgoing);
  EXPECT_EQ(got.checksum, ChecksumStatus::kNotReady);
  EXPECT_EQ(std::memcmp(got.data, sent.data, 100), 0);
}

TEST(MemorySourceTest, EveryDirectionSurvives) {
  for (int i = 0; i <= static_cast<int>(FrameDirection::kOutgoing); ++i) {
    Trace trace({60});
    trace.frames()[0].direction = static_cast<FrameDirection>(i);
    Frame got;
    ASSERT_EQ(FromFrames(trace.frames())->Receive({&got, 1}), 1);
    EXPECT_EQ(static_cast<int>(got.direction), i);
  }
}

TEST(MemorySourceTest, FramesOverManyBlocksComeInOrderWhateverTheBatch) {
  std::vector<uint32_t> lengths;
  for (uint32_t i = 0; i < 200; ++i) lengths.push_back(i * 37 % 1500);
  for (int batch : {1, 7, 64}) {
    Trace trace(lengths);
    auto source = FromFrames(trace.frames(), {.block_bytes = 4096});
    const auto got = Drain(*source, batch);
    ASSERT_EQ(got.size(), lengths.size());
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(got[i], std::vector<uint8_t>(lengths[i], static_cast<uint8_t>(i))) << i;
    }
    EXPECT_TRUE(source->ended());
    EXPECT_EQ(source->Counters().received, lengths.size());
    EXPECT_EQ(source->Counters().broken_blocks, 0u);
  }
}

TEST(MemorySourceTest, ReceiveMayBeCalledAgainBeforeRelease) {
  Trace trace(std::vector<uint32_t>(30, 1000));
  auto source = FromFrames(trace.frames(), {.block_bytes = 4096});
  std::vector<Frame> frames(64);
  int count = source->Receive(std::span(frames).first(20));
  count += source->Receive(std::span(frames).subspan(20));
  EXPECT_EQ(count, 30);
  EXPECT_EQ(source->Receive(frames), 0);
  EXPECT_EQ(frames[0].data[0], 0);
  EXPECT_EQ(frames[29].data[0], 29);
}

TEST(MemorySourceTest, EmptyTraceEndsAtOnce) {
  auto source = FromFrames({});
  Frame frame;
  EXPECT_TRUE(source->ended());
  EXPECT_EQ(source->Receive({&frame, 1}), 0);
}

TEST(MemorySourceTest, RefillTakesOnlyWhatIsFreeAndGoesOnAfterRelease) {
  Trace trace(std::vector<uint32_t>(100, 1000));
  auto source = MemorySource::Create({.block_bytes = 4096, .block_count = 2});
  ASSERT_TRUE(source.ok());
  std::span<const Frame> left = trace.frames();
  const size_t per_ring = (*source)->Refill(left);
  EXPECT_EQ(per_ring, 6u);
  EXPECT_EQ((*source)->Refill(left), 0u);
  size_t received = 0;
  for (left = left.subspan(per_ring); !left.empty(); left = left.subspan((*source)->Refill(left))) {
    received += Drain(**source).size();
    ASSERT_FALSE((*source)->ended());
  }
  received += Drain(**source).size();
  (*source)->End();
  EXPECT_EQ(received, 100u);
  EXPECT_TRUE((*source)->ended());
}

TEST(MemorySourceTest, BlocksAreGivenBackOnlyByRelease) {
  Trace trace(std::vector<uint32_t>(6, 1000));
  auto source = MemorySource::Create({.block_bytes = 4096, .block_count = 2});
  ASSERT_EQ((*source)->Refill(trace.frames()), 6u);
  std::vector<Frame> frames(64);
  ASSERT_EQ((*source)->Receive(frames), 6);
  EXPECT_EQ((*source)->Refill(trace.frames()), 0u);
  (*source)->Release();
  EXPECT_EQ((*source)->Refill(trace.frames()), 6u);
}

TEST(MemorySourceTest, FillIsTheBlocksThatAreNotGivenBack) {
  constexpr uint32_t kBlocks = 13;
  Trace trace(std::vector<uint32_t>(3, 1000));  // a block of 4 KiB holds three
  auto source = MemorySource::Create({.block_bytes = 4096, .block_count = kBlocks});
  ASSERT_TRUE(source.ok());
  EXPECT_EQ((*source)->Fill().units, kBlocks);
  std::vector<Frame> frames(3);
  uint32_t used = 0;
  // Through the ring several times, with each number of blocks in it, at each place.
  for (uint32_t step = 0; step < 200; ++step) {
    const uint32_t more = step * 7 % (kBlocks + 1 - used);
    for (uint32_t i = 0; i < more; ++i) ASSERT_EQ((*source)->Refill(trace.frames()), 3u);
    used += more;
    ASSERT_EQ((*source)->Fill().used, used) << step;
    for (uint32_t less = step * 5 % (used + 1); less > 0; --less, --used) {
      ASSERT_EQ((*source)->Receive(frames), 3);
      ASSERT_EQ((*source)->Fill().used, used) << "a block that is read is not free yet";
      (*source)->Release();
    }
    ASSERT_EQ((*source)->Fill().used, used) << step;
  }
}

TEST(MemorySourceTest, AFrameLongerThanABlockIsRefused) {
  Trace trace({5000});
  const auto source = MemorySource::FromFrames(trace.frames(), {.block_bytes = 4096});
  EXPECT_EQ(source.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(MemorySourceTest, MixedLinkTypesAreRefused) {
  Trace trace({60, 60});
  trace.frames()[1].link_type = link_type::kRaw;
  EXPECT_FALSE(MemorySource::FromFrames(trace.frames()).ok());
}

TEST(MemorySourceTest, GeometryMustBeWholePages) {
  EXPECT_FALSE(MemorySource::Create({.block_bytes = 5000}).ok());
  EXPECT_FALSE(MemorySource::Create({.block_count = 0}).ok());
}

}  // namespace
}  // namespace weir

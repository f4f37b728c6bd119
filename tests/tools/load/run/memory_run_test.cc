#include "tools/load/run/memory_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "engine/shard.h"
#include "tools/load/report/run_report.h"

namespace weir::load {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

MemoryRunOptions Options(uint64_t packets) {
  MemoryRunOptions options;
  options.profile.packets = packets;
  options.profile.flows = 500;
  options.shard.flow.max_flows = 4'000;
  options.shard.flow.streams.emplace();
  return options;
}

TEST(MemoryRunTest, FindsAllAsItWasSent) {
  MemoryRunOptions options = Options(50'000);
  options.profile.udp = 0.2;
  options.profile.flow_packets = 40;
  const auto result = RunInMemory(options);
  ASSERT_TRUE(result.ok()) << result.status();
  const Verdict verdict = JudgeRun(*result);
  EXPECT_THAT(verdict.faults, IsEmpty());
  EXPECT_EQ(verdict.received, 50'000u);
  EXPECT_GT(verdict.flows_found, 1'000u);
  EXPECT_GT(verdict.bytes_checked, 5'000'000u);
}

TEST(MemoryRunTest, SeveralShardsFindTheSame) {
  MemoryRunOptions options = Options(50'000);
  options.profile.udp = 0.2;
  const Verdict one = JudgeRun(*RunInMemory(options));
  options.shards = 3;
  const Verdict three = JudgeRun(*RunInMemory(options));
  EXPECT_THAT(three.faults, IsEmpty());
  EXPECT_EQ(three.received, one.received);
  EXPECT_EQ(three.bytes_delivered, one.bytes_delivered);
}

// Handshakes, closes and displaced segments included; VLAN tags stand in the bytes.
TEST(MemoryRunTest, AUmemGivesTheSameAsBlocks) {
  MemoryRunOptions options = Options(50'000);
  options.profile.udp = 0.2;
  options.profile.vlans = {7, 8};
  options.profile.reorder = 0.05;
  const Verdict blocks = JudgeRun(*RunInMemory(options));
  for (const uint32_t bytes : {2048u, 4096u}) {
    options.umem_chunk_bytes = bytes;
    const auto result = RunInMemory(options);
    ASSERT_TRUE(result.ok()) << result.status();
    const Verdict umem = JudgeRun(*result);
    EXPECT_THAT(umem.faults, IsEmpty());
    EXPECT_EQ(umem.received, blocks.received);
    EXPECT_EQ(umem.flows_found, blocks.flows_found);
    EXPECT_EQ(umem.bytes_delivered, blocks.bytes_delivered);
  }
}

TEST(MemoryRunTest, TimeIsTakenBehindTheWarmUp) {
  MemoryRunOptions options = Options(50'000);
  options.warm_up = 40'000;
  options.verify = false;
  const auto result = RunInMemory(options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->timed_frames, 10'000u);
  EXPECT_GT(result->cpu_seconds, 0);
}

TEST(MemoryRunTest, FlowsThatEndOnTheWayAreFoundAlsoWhereOnlyTimeIsTaken) {
  MemoryRunOptions options = Options(50'000);
  options.profile.flow_packets = 20;
  options.shard.flow.timeouts.tcp_closed = 1'000'000;  // well before the last frame
  options.verify = false;
  const auto result = RunInMemory(options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(JudgeRun(*result).faults, IsEmpty());
}

// Faults that are planted between the engine and those who watch it: what a broken build would do.

// Loses one frame of a million, and counts it nowhere.
class LosingSource final : public FrameSource {
 public:
  explicit LosingSource(std::unique_ptr<FrameSource> source) : source_(std::move(source)) {}
  int Receive(std::span<Frame> frames) override {
    const int count = source_->Receive(frames);
    seen_ += static_cast<uint64_t>(count);
    if (seen_ < kLost || done_) return count;
    done_ = true;
    return count - 1;
  }
  void Release() override { source_->Release(); }
  bool ready() const override { return source_->ready(); }
  bool ended() const override { return source_->ended(); }
  absl::Status status() const override { return source_->status(); }
  SourceCounters Counters() override { return source_->Counters(); }
  std::span<const SourceInterface> interfaces() const override { return source_->interfaces(); }

 private:
  static constexpr uint64_t kLost = 700'000;
  std::unique_ptr<FrameSource> source_;
  uint64_t seen_ = 0;
  bool done_ = false;
};

// Hands on what `change` makes of each batch.
class ChangingConsumer final : public ShardConsumer {
 public:
  using Change = std::function<void(std::vector<Event>&)>;
  ChangingConsumer(std::unique_ptr<ShardConsumer> consumer, Change change)
      : consumer_(std::move(consumer)), change_(std::move(change)) {}
  absl::Status OnBatch(Shard& shard, std::span<const Event> events) override {
    std::vector<Event> changed(events.begin(), events.end());
    change_(changed);
    return consumer_->OnBatch(shard, changed);
  }

 private:
  std::unique_ptr<ShardConsumer> consumer_;
  Change change_;
};

MemoryRunOptions WithChange(uint64_t packets, ChangingConsumer::Change change) {
  MemoryRunOptions options = Options(packets);
  options.hooks.consumer = [change](std::unique_ptr<ShardConsumer> consumer) {
    return std::make_unique<ChangingConsumer>(std::move(consumer), change);
  };
  return options;
}

TEST(PlantedFaultTest, OneFrameOfAMillionThatNobodyCountedIsFound) {
  MemoryRunOptions options = Options(1'000'000);
  options.profile.sizes = {{64, 1}};
  options.hooks.source = [](std::unique_ptr<FrameSource> source) {
    return std::make_unique<LosingSource>(std::move(source));
  };
  const Verdict verdict = JudgeRun(*RunInMemory(options));
  EXPECT_EQ(verdict.lost, 1u);
  ASSERT_THAT(verdict.faults, ::testing::Not(IsEmpty()));
  EXPECT_THAT(verdict.faults[0], HasSubstr("1 frames are missing, and no counter names them"));
}

TEST(PlantedFaultTest, OneByteThatWasDeliveredWrongIsFound) {
  std::vector<uint8_t> copy;
  uint64_t delivered = 0;
  const auto result = RunInMemory(WithChange(50'000, [&](std::vector<Event>& events) {
    for (Event& event : events) {
      if (event.kind != EventKind::kStreamData || ++delivered != 9'000) continue;
      copy.assign(event.data, event.data + event.size);
      copy[event.size / 2] ^= 1;
      event.data = copy.data();
    }
  }));
  const Verdict verdict = JudgeRun(*result);
  ASSERT_THAT(result->seen.wrong, SizeIs(1));
  EXPECT_EQ(result->seen.wrong[0].size, copy.size());
  ASSERT_THAT(verdict.faults, SizeIs(1));
  EXPECT_THAT(verdict.faults[0], HasSubstr("1 deliveries hold a wrong byte"));
}

TEST(PlantedFaultTest, OneDatagramByteThatWasDeliveredWrongIsFound) {
  std::vector<uint8_t> copy;
  Packet packet;
  uint64_t seen = 0;
  MemoryRunOptions options = WithChange(50'000, [&](std::vector<Event>& events) {
    for (Event& event : events) {
      if (event.kind != EventKind::kPacket || ++seen != 5'000) continue;
      packet = *event.packet;
      copy.assign(packet.payload, packet.payload + packet.payload_length);
      copy.back() ^= 0x80;
      packet.payload = copy.data();
      event.packet = &packet;
    }
  });
  options.profile.udp = 1;
  const Verdict verdict = JudgeRun(*RunInMemory(options));
  ASSERT_THAT(verdict.faults, SizeIs(1));
  EXPECT_THAT(verdict.faults[0], HasSubstr("1 deliveries hold a wrong byte"));
}

TEST(PlantedFaultTest, OneFlowThatWasNotReportedIsFound) {
  uint64_t ended = 0;
  const auto result = RunInMemory(WithChange(50'000, [&](std::vector<Event>& events) {
    std::erase_if(events, [&](const Event& event) {
      return event.kind == EventKind::kFlowEnded && ++ended == 100;
    });
  }));
  const Verdict verdict = JudgeRun(*result);
  EXPECT_EQ(verdict.flows_found + 1, verdict.flows_expected);
  EXPECT_THAT(verdict.faults, ::testing::Contains(HasSubstr("1 flows were not found")));
}

TEST(PlantedFaultTest, BytesThatAreSwallowedAreFound) {
  uint64_t pieces = 0;
  const auto result = RunInMemory(WithChange(50'000, [&](std::vector<Event>& events) {
    std::erase_if(events, [&](const Event& event) {
      return event.kind == EventKind::kStreamData && ++pieces == 4'000;
    });
  }));
  EXPECT_THAT(JudgeRun(*result).faults,
              ::testing::Contains(HasSubstr("streams that do not add up")));
}

}  // namespace
}  // namespace weir::load

// A shard over the two legs of a TAP: each brings one direction of every flow.
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <random>

#include "engine/flow/flow_tracker.h"
#include "engine/shard.h"
#include "rings/memory_source.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::AsFrame;
using test::Bytes;
using test::PacketBuilder;
using test::TcpFields;

constexpr int64_t kStart = 1'700'000'000'000'000'000;

// The frames of some connections, one a microsecond, and which leg carries each.
struct Traffic {
  std::vector<Bytes> bytes;
  std::vector<int> leg;

  Frame frame(size_t i) const {
    return AsFrame(bytes[i], link_type::kEthernet, kStart + static_cast<int64_t>(i) * 1'000);
  }
  std::vector<Frame> All() const {
    std::vector<Frame> frames;
    for (size_t i = 0; i < bytes.size(); ++i) frames.push_back(frame(i));
    return frames;
  }
  std::vector<Frame> OfLeg(int which) const {
    std::vector<Frame> frames;
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (leg[i] == which) frames.push_back(frame(i));
    }
    return frames;
  }
};

Traffic Connections(int count) {
  Traffic traffic;
  const struct {
    bool back;
    TcpFields fields;
    size_t payload;
  } steps[] = {{false, {.seq = 99, .flags = 0x02}, 0},
               {true, {.seq = 499, .ack = 100, .flags = 0x12}, 0},
               {false, {.seq = 100, .ack = 500, .flags = 0x10}, 0},
               {false, {.seq = 100, .ack = 500, .flags = 0x18}, 30},
               {true, {.seq = 500, .ack = 130, .flags = 0x18}, 70},
               {false, {.seq = 130, .ack = 570, .flags = 0x11}, 0},
               {true, {.seq = 570, .ack = 131, .flags = 0x11}, 0},
               {false, {.seq = 131, .ack = 571, .flags = 0x10}, 0}};
  for (const auto& step : steps) {
    for (int i = 0; i < count; ++i) {
      const auto port = static_cast<uint16_t>(2000 + i);
      PacketBuilder builder;
      builder.Ethernet();
      if (step.back) {
        builder.Ipv4("10.0.0.9", "10.0.0.1").Tcp(80, port, step.fields);
      } else {
        builder.Ipv4("10.0.0.1", "10.0.0.9").Tcp(port, 80, step.fields);
      }
      traffic.bytes.push_back(builder.Payload(step.payload).Build());
      traffic.leg.push_back(step.back ? 1 : 0);
    }
  }
  return traffic;
}

struct Outcome {
  std::vector<FlowRecord> records;
  Ledger ledger;
};

ShardOptions Options() {
  ShardOptions options;
  options.flow.streams.emplace();
  return options;
}

void Collect(Shard& shard, Outcome& outcome) {
  for (const Event& event : shard.Poll()) {
    if (event.kind == EventKind::kFlowEnded) outcome.records.push_back(*event.record);
  }
  outcome.ledger = shard.ledger();
}

Outcome RunOne(const Traffic& traffic) {
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(*MemorySource::FromFrames(traffic.All()));
  auto shard = *Shard::Create(Options(), std::move(sources));
  Outcome outcome;
  while (!shard->done()) Collect(*shard, outcome);
  return outcome;
}

// Blocks of both legs arrive in an order of their own.
Outcome RunLegs(const Traffic& traffic, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::unique_ptr<FrameSource>> sources;
  MemorySource* legs[2];
  std::vector<Frame> frames[2];
  for (int leg : {0, 1}) {
    auto source = MemorySource::Create({.block_bytes = 4096, .block_count = 4});
    legs[leg] = source->get();
    sources.push_back(*std::move(source));
    frames[leg] = traffic.OfLeg(leg);
  }
  auto shard = *Shard::Create(Options(), std::move(sources));
  Outcome outcome;
  size_t sent[2] = {};
  while (!shard->done()) {
    const int leg = random() % 2;
    const size_t some = std::min<size_t>(random() % 50, frames[leg].size() - sent[leg]);
    sent[leg] += legs[leg]->Refill(std::span(frames[leg]).subspan(sent[leg], some));
    if (sent[leg] == frames[leg].size()) legs[leg]->End();
    Collect(*shard, outcome);
  }
  return outcome;
}

TEST(ShardLegs, ConnectionIsSeenInOrderWhateverArrivesFirst) {
  const Traffic traffic = Connections(1);
  for (uint32_t seed = 0; seed < 20; ++seed) {
    const Outcome outcome = RunLegs(traffic, seed);
    ASSERT_EQ(outcome.records.size(), 1u);
    const FlowRecord& flow = outcome.records[0];
    EXPECT_EQ(flow.end, FlowEnd::kFin);
    EXPECT_STREQ(flow.history.data(), "ShADdFf");
    EXPECT_FALSE(flow.midstream);
    EXPECT_EQ(flow.stream[0].out_of_order + flow.stream[1].out_of_order, 0u);
  }
}

TEST(ShardLegs, RecordsAreThoseOfOneMergedSource) {
  const Traffic traffic = Connections(300);
  const Outcome one = RunOne(traffic);
  ASSERT_EQ(one.records.size(), 300u);
  for (uint32_t seed = 0; seed < 10; ++seed) {
    const Outcome legs = RunLegs(traffic, seed);
    ASSERT_EQ(legs.records.size(), one.records.size());
    for (size_t i = 0; i < one.records.size(); ++i) {
      const FlowRecord& expected = one.records[i];
      const FlowRecord& flow = legs.records[i];
      EXPECT_EQ(flow.key.source_port, expected.key.source_port);
      EXPECT_EQ(flow.packets, expected.packets);
      EXPECT_EQ(flow.bytes, expected.bytes);
      EXPECT_EQ(flow.history, expected.history);
      EXPECT_EQ(flow.end, expected.end);
      EXPECT_EQ(flow.end_ns, expected.end_ns);
      EXPECT_EQ(flow.stream[1].delivered, expected.stream[1].delivered);
    }
    EXPECT_EQ(legs.ledger.received, one.ledger.received);
    EXPECT_EQ(legs.ledger.streams.delivered, one.ledger.streams.delivered);
    EXPECT_TRUE(legs.ledger.Balanced());
  }
}

TEST(ShardLegs, CountersTellOfEachLeg) {
  const Traffic traffic = Connections(10);
  std::vector<std::unique_ptr<FrameSource>> sources;
  for (int leg : {0, 1}) sources.push_back(*MemorySource::FromFrames(traffic.OfLeg(leg)));
  auto shard = *Shard::Create(Options(), std::move(sources));
  Outcome outcome;
  while (!shard->done()) Collect(*shard, outcome);
  ASSERT_EQ(shard->sources().size(), 2u);
  EXPECT_EQ(shard->sources()[0]->Counters().received, 50u);
  EXPECT_EQ(shard->sources()[1]->Counters().received, 30u);
  EXPECT_EQ(shard->source_counters().received, 80u);
  EXPECT_EQ(outcome.ledger.received, 80u);
}

int64_t ClockNs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// A live leg: has what it was given, and can be waited for.
class LiveLeg final : public FrameSource {
 public:
  explicit LiveLeg(std::vector<Frame> frames) : frames_(std::move(frames)) {
    if (!frames_.empty()) eventfd_write(fd_, 1);
  }
  ~LiveLeg() override { close(fd_); }
  int Receive(std::span<Frame> frames) override {
    const size_t count = std::min(frames.size(), frames_.size() - next_);
    std::copy_n(frames_.begin() + static_cast<int64_t>(next_), count, frames.begin());
    next_ += count;
    uint64_t value;
    if (next_ == frames_.size()) (void)eventfd_read(fd_, &value);
    return static_cast<int>(count);
  }
  void Release() override {}
  bool ready() const override { return next_ < frames_.size(); }
  int wait_fd() const override { return fd_; }
  bool StopIntake() override { return stopped_ = true; }
  bool ended() const override { return stopped_ && !ready(); }
  absl::Status status() const override { return absl::OkStatus(); }
  SourceCounters Counters() override { return {.received = next_}; }
  std::span<const SourceInterface> interfaces() const override { return {&interface_, 1}; }
  int64_t hold_back_ns() const override { return 20'000'000; }

 private:
  int fd_ = eventfd(0, EFD_NONBLOCK);
  std::vector<Frame> frames_;
  size_t next_ = 0;
  bool stopped_ = false;
  SourceInterface interface_;
};

TEST(ShardLegs, ShardSleepsUntilASilentLiveLegNeedNotBeWaitedFor) {
  const Traffic traffic = Connections(1);
  Frame frame = traffic.frame(0);
  frame.timestamp_ns = ClockNs();
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::make_unique<LiveLeg>(std::vector<Frame>{frame}));
  sources.push_back(std::make_unique<LiveLeg>(std::vector<Frame>{}));
  ShardOptions options;
  options.live = true;
  options.clock_slack_ns = 10'000'000;
  auto shard = *Shard::Create(options, std::move(sources));
  int polls = 0;
  while (shard->ledger().received == 0) {
    shard->Poll();
    ++polls;
    ASSERT_TRUE(shard->Wait(60'000'000'000).ok());
  }
  EXPECT_GE(ClockNs() - frame.timestamp_ns, 30'000'000);
  EXPECT_LT(polls, 50) << "it was spinning";
  shard->Stop();
  while (!shard->done()) shard->Poll();
  EXPECT_EQ(shard->flows().counters().ended_packets, 1u);
}

}  // namespace
}  // namespace weir

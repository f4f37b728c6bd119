// What the kernel had no room for is counted once, and every frame that was sent is counted: when
// shards pause in the middle, in each queue of a fanout group, and when the whole command is
// stopped with SIGSTOP while the sender goes on.
#include <gtest/gtest.h>

#include <csignal>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/shard.h"
#include "rings/packet_group.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"
#include "tests/support/tc_program.h"
#include "tests/support/temporary_folder.h"
#include "tests/tools/weir/run_command.h"

namespace weir::test {
namespace {

constexpr int kQueues = 4;
constexpr int kFlows = 97;

// Frames of 97 flows with address pairs of their own, sent out of the near end.
class FlowSender {
 public:
  explicit FlowSender(const VethPair& pair) : pair_(pair) {
    for (int flow = 0; flow < kFlows; ++flow) frames_.push_back(FrameOf(flow));
    const auto scope = pair_.near().Enter();
    sender_ = std::make_unique<RawSender>(VethPair::kNear);
  }
  void Laps(int count) {
    const auto scope = pair_.near().Enter();
    for (int lap = 0; lap < count; ++lap) {
      for (const Bytes& frame : frames_) sender_->Send(frame);
    }
    sent_ += static_cast<uint64_t>(count) * kFlows;
  }
  void Probe(uint16_t port) {
    const auto scope = pair_.near().Enter();
    sender_->Send(PacketBuilder()
                      .Ethernet()
                      .Ipv4("10.99.0.1", "10.99.0.2")
                      .Udp(port, 53)
                      .Payload(20)
                      .Build());
  }
  uint64_t sent() const { return sent_; }  // without probes

 private:
  static Bytes FrameOf(int flow) {
    return PacketBuilder()
        .Ethernet()
        .Ipv4(absl::StrCat("10.1.0.", flow + 1), "10.2.0.1")
        .Udp(static_cast<uint16_t>(1024 + flow), 53)
        .Payload(1000)
        .Build();
  }

  const VethPair& pair_;
  std::vector<Bytes> frames_;  // of one lap
  std::unique_ptr<RawSender> sender_;
  uint64_t sent_ = 0;
};

class LedgerOfAGroupTest : public testing::TestWithParam<FanoutMode> {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<VethPair>(kQueues);
    auto steering = TcProgram::Attach(pair_->near(), VethPair::kNear, TcHook::kEgress,
                                      TcAction::kSteerQueue, kQueues);
    ASSERT_TRUE(steering.ok()) << steering.status();
    steering_ = *std::move(steering);
    sender_ = std::make_unique<FlowSender>(*pair_);
    PacketSourceOptions options;
    options.interface = VethPair::kFar;
    options.ring = {.ring_bytes = 512 << 10, .block_bytes = 128 << 10, .retire_ms = 2};
    const auto scope = pair_->far().Enter();
    auto group = OpenPacketGroup(options, {.mode = GetParam()}, kQueues);
    ASSERT_TRUE(group.ok()) << group.status();
    for (auto& source : group->sources) {
      std::vector<std::unique_ptr<FrameSource>> one;
      one.push_back(std::move(source));
      shards_.push_back(*Shard::Create({.live = true}, std::move(one)));
    }
  }

  void PollAll() {
    for (const auto& shard : shards_) shard->Poll();
  }
  // Received and dropped, by shard.
  std::vector<uint64_t> Arrived() {
    std::vector<uint64_t> arrived;
    for (const auto& shard : shards_) {
      const SourceCounters counters = shard->source_counters();
      EXPECT_EQ(counters.received, shard->ledger().received);
      EXPECT_EQ(*counters.KernelFilteredTotal(), 0u);
      arrived.push_back(counters.received + *counters.ring_dropped);
    }
    return arrived;
  }
  static uint64_t Sum(const std::vector<uint64_t>& numbers) {
    uint64_t sum = 0;
    for (const uint64_t number : numbers) sum += number;
    return sum;
  }
  uint64_t Dropped() {
    uint64_t dropped = 0;
    for (const auto& shard : shards_) dropped += *shard->source_counters().ring_dropped;
    return dropped;
  }
  uint64_t Received() const {
    uint64_t received = 0;
    for (const auto& shard : shards_) received += shard->ledger().received;
    return received;
  }

  std::unique_ptr<VethPair> pair_;
  std::unique_ptr<TcProgram> steering_;
  std::unique_ptr<FlowSender> sender_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

INSTANTIATE_TEST_SUITE_P(Modes, LedgerOfAGroupTest,
                         testing::Values(FanoutMode::kQueue, FanoutMode::kEbpf, FanoutMode::kHash),
                         [](const auto& test) { return std::string(FanoutModeName(test.param)); });

TEST_P(LedgerOfAGroupTest, ClosesInEachQueueWhenTheShardsPause) {
  // How the flows are spread is learned from laps that fit.
  constexpr int kFewLaps = 2, kManyLaps = 60;
  for (int lap = 0; lap < kFewLaps; ++lap) {
    sender_->Laps(1);
    ASSERT_TRUE(Eventually([&] {
      PollAll();
      return Received() == sender_->sent();
    }));
  }
  ASSERT_EQ(Dropped(), 0u);
  const std::vector<uint64_t> few = Arrived();
  for (const uint64_t arrived : few) EXPECT_GT(arrived, 0u) << "an idle queue";

  sender_->Laps(kManyLaps);  // nobody reads: far more than the rings hold
  for (int i = 0; i < 20; ++i) PollAll();
  const std::vector<uint64_t> paused = Arrived();
  EXPECT_GT(Dropped(), 0u);
  sender_->Laps(1);
  for (const auto& shard : shards_) shard->Stop();
  for (const auto& shard : shards_) {
    while (!shard->done()) shard->Poll();
  }

  const std::vector<uint64_t> all = Arrived();
  EXPECT_EQ(Sum(all), sender_->sent());
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i], few[i] / kFewLaps * (kFewLaps + kManyLaps + 1)) << "queue " << i;
    EXPECT_LE(paused[i], all[i]);
    EXPECT_TRUE(shards_[i]->ledger().Balanced());
    EXPECT_EQ(shards_[i]->ledger().ledger_errors, 0u);
    EXPECT_EQ(shards_[i]->ledger().tracked, shards_[i]->ledger().received);
  }
}

uint64_t Number(const std::string& text, const std::string& name) {
  std::smatch match;
  if (!std::regex_search(text, match, std::regex("\"" + name + "\":([0-9]+)"))) {
    ADD_FAILURE() << name << " is not in " << text;
    return 0;
  }
  return std::stoull(match[1]);
}

// weir on the far end, ready once it has told of a probe.
class StoppedCommandTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<VethPair>(kQueues);
    sender_ = std::make_unique<FlowSender>(*pair_);
  }

  void Start(std::vector<std::string> more) {
    std::vector<std::string> arguments = {
        "-i",      VethPair::kFar, "--eve", eve(),       "--ring-mib", "1",
        "--quiet", "--block-kib",  "128",   "--timeout", "udp=50ms"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    command_ = std::make_unique<Command>(arguments);
    {
      const auto scope = pair_->far().Enter();
      command_->Start();
    }
    // Each probe may take a block of the ring, and nobody reads before weir is ready: fewer and
    // fewer.
    int looks = 0, next = 1;
    ASSERT_TRUE(Eventually([&] {
      if (++looks == next) {
        sender_->Probe(static_cast<uint16_t>(1000 + looks));
        next *= 2;
      }
      return !ReadFile(eve()).empty();
    }));
  }
  std::string eve() const { return folder_.File("eve.json"); }

  // Everything adds up: what was sent, what the kernel dropped, what the flows say.
  void ExpectClosed() {
    uint64_t probes = 0, in_flows = 0;
    std::string stats;
    for (const std::string& line : Lines(ReadFile(eve()))) {
      if (line.find(R"("event_type":"stats")") != std::string::npos) stats = line;
      if (line.find(R"("event_type":"flow")") == std::string::npos) continue;
      const uint64_t packets = Number(line, "pkts_toserver") + Number(line, "pkts_toclient");
      in_flows += packets;
      if (line.find("10.99.0.1") != std::string::npos) probes += packets;
    }
    ASSERT_FALSE(stats.empty());
    const uint64_t received = Number(stats, "received"), dropped = Number(stats, "kernel_drops");
    EXPECT_GT(dropped, 0u);
    EXPECT_EQ(Number(stats, "kernel_packets"), received);
    EXPECT_EQ(Number(stats, "kernel_filtered"), 0u);
    EXPECT_EQ(received + dropped, sender_->sent() + probes);
    EXPECT_EQ(Number(stats, "tracked"), received);
    EXPECT_EQ(in_flows, received);
    EXPECT_EQ(Number(stats, "ledger_errors"), 0u);
  }

  // Stops it in the middle, fills its ring and more, lets it go on, ends it.
  void StopAndGoOn(int laps) {
    sender_->Laps(1);
    command_->Signal(SIGSTOP);
    sender_->Laps(laps);
    command_->Signal(SIGCONT);
    sender_->Laps(10);
    command_->Signal(SIGTERM);
    const CommandResult result = command_->Finish();
    EXPECT_EQ(result.status, 0) << result.err;
  }

  TemporaryFolder folder_;
  std::unique_ptr<VethPair> pair_;
  std::unique_ptr<FlowSender> sender_;
  std::unique_ptr<Command> command_;
};

TEST_F(StoppedCommandTest, TheLedgerClosesWithWhatTheKernelDropped) {
  Start({});
  StopAndGoOn(60);
  ExpectClosed();
}

TEST_F(StoppedCommandTest, SoDoesThatOfFourShards) {
  Start({"--shards", "4"});
  StopAndGoOn(240);
  ExpectClosed();
}

}  // namespace
}  // namespace weir::test

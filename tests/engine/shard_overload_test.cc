// --overload refuse-new: what a shard does while its ring is nearly full.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "engine/shard.h"
#include "rings/memory_source.h"
#include "tests/support/flow_feeder.h"
#include "tests/support/packet_builder.h"

namespace weir::test {
namespace {

constexpr uint16_t kOldPort = 1000;  // of flows that are tracked before the ring fills
constexpr uint16_t kNewPort = 2000;
constexpr int kFlows = 40;  // of each

// A shard over a memory ring of 512 blocks, three frames each.
class Overloaded {
 public:
  explicit Overloaded(Overload overload) {
    auto source = *MemorySource::Create({.block_bytes = 4096, .block_count = 512});
    source_ = source.get();
    std::vector<std::unique_ptr<FrameSource>> sources;
    sources.push_back(std::move(source));
    ShardOptions options;
    options.overload = overload;
    options.flow.seed = 1;
    shard_ = *Shard::Create(options, std::move(sources));
  }

  // One frame of each flow, both directions in turn.
  void Queue(uint16_t first_port) {
    for (int flow = 0; flow < kFlows; ++flow) Add(static_cast<uint16_t>(first_port + flow));
  }
  void Write() {
    std::vector<Frame> frames;
    for (const Bytes& bytes : queued_) frames.push_back(AsFrame(bytes, link_type::kEthernet, 1000));
    const size_t taken = source_->Refill(frames);
    written_ += taken;
    queued_.erase(queued_.begin(), queued_.begin() + static_cast<ptrdiff_t>(taken));
  }
  // As many frames of all flows as the ring takes.
  void FillRing() {
    for (size_t before = written_ - 1; before != written_;) {
      before = written_;
      if (queued_.size() < 500) {
        Queue(kOldPort);
        Queue(kNewPort);
      }
      Write();
    }
  }
  void Poll() {
    for (const Event& event : shard_->Poll()) {
      if (event.kind == EventKind::kFlowEnded) Keep(*event.record);
    }
  }
  void Drain() {
    while (source_->ready() || !queued_.empty()) {
      Write();
      Poll();
    }
    Poll();  // finds nothing
  }
  void End() {
    source_->End();
    while (!shard_->done()) Poll();
  }

  const Ledger& ledger() const { return shard_->ledger(); }
  uint64_t refused() const { return ledger().shed[static_cast<size_t>(Shed::kOverload)]; }
  uint32_t alive() const { return shard_->flows().alive(); }
  // Packets in the records of the flow, and in all frames of it.
  uint64_t recorded(int port) { return recorded_[port]; }
  uint64_t sent(int port) { return sent_[port]; }
  uint64_t sent() const { return written_; }

 private:
  void Add(uint16_t port) {
    const bool back = sent_[port]++ % 2 == 1;
    PacketBuilder builder;
    builder.Ethernet();
    if (back) {
      builder.Ipv4("10.0.0.2", "10.0.0.1").Udp(53, port);
    } else {
      builder.Ipv4("10.0.0.1", "10.0.0.2").Udp(port, 53);
    }
    queued_.push_back(builder.Payload(1000).Build());
  }
  void Keep(const FlowRecord& record) {
    const int port = record.key.source_port == 53 ? record.key.destination_port  // joined midway
                                                  : record.key.source_port;
    recorded_[port] += record.packets[0] + record.packets[1];
  }

  MemorySource* source_;
  std::unique_ptr<Shard> shard_;
  std::vector<Bytes> queued_;
  size_t written_ = 0;
  std::map<int, uint64_t> recorded_, sent_;
};

void ExpectClosedAndOldFlowsWhole(Overloaded& run) {
  EXPECT_EQ(run.ledger().received, run.sent());
  EXPECT_EQ(run.ledger().tracked + run.refused(), run.sent());
  EXPECT_TRUE(run.ledger().Balanced());
  EXPECT_EQ(run.ledger().ledger_errors, 0u);
  uint64_t recorded = 0;
  for (int flow = 0; flow < kFlows; ++flow) {
    EXPECT_EQ(run.recorded(kOldPort + flow), run.sent(kOldPort + flow)) << flow;
    recorded += run.recorded(kOldPort + flow) + run.recorded(kNewPort + flow);
  }
  EXPECT_EQ(recorded, run.ledger().tracked);
}

TEST(ShardOverload, WhileTheRingStaysFullNoNewFlowIsTrackedAndOldOnesStayWhole) {
  Overloaded run(Overload::kRefuseNew);
  run.Queue(kOldPort);
  run.Drain();
  ASSERT_EQ(run.alive(), static_cast<uint32_t>(kFlows));
  for (int batch = 0; batch < 50; ++batch) {
    run.FillRing();
    run.Poll();
  }
  EXPECT_EQ(run.alive(), static_cast<uint32_t>(kFlows));
  EXPECT_GT(run.refused(), 0u);
  run.Drain();
  run.End();
  ExpectClosedAndOldFlowsWhole(run);
}

TEST(ShardOverload, WhenTheRingIsEmptyAgainNewFlowsAreTracked) {
  Overloaded run(Overload::kRefuseNew);
  run.Queue(kOldPort);
  run.Drain();
  run.FillRing();
  run.Drain();
  const uint64_t refused = run.refused();
  EXPECT_GT(refused, 0u);
  run.Queue(kNewPort);
  run.Drain();
  EXPECT_EQ(run.refused(), refused);
  EXPECT_EQ(run.alive(), 2u * kFlows);
  run.End();
  ExpectClosedAndOldFlowsWhole(run);
}

TEST(ShardOverload, ByDefaultNothingIsRefused) {
  Overloaded run(Overload::kTakeAll);
  run.FillRing();
  run.Drain();
  run.End();
  EXPECT_EQ(run.refused(), 0u);
  ExpectClosedAndOldFlowsWhole(run);
}

Sender FlowNumber(uint32_t number) {
  return MakeSender(ip_protocol::kUdp, 0x0a000001 + number, 1000, 0x0b000001, 53);
}

// Which of 800 flows are refused at each step.
std::set<uint32_t> RefusedAt(uint32_t eighths) {
  FlowFeeder feeder({.seed = 7});
  feeder.tracker().RefuseNew((uint64_t{eighths} << 32) / 8);
  std::set<uint32_t> refused;
  for (uint32_t number = 0; number < 800; ++number) {
    const bool back = number % 2 == 1;  // whichever side speaks first
    const Sender sender = back ? FlowNumber(number).Reverse() : FlowNumber(number);
    if (feeder.Track(feeder.Make(sender, 1000)) == Verdict::kShed) refused.insert(number);
  }
  EXPECT_EQ(feeder.tracker().alive(), 800 - refused.size());
  return refused;
}

TEST(FlowTrackerRefuseNew, EachStepRefusesWhatTheOneBeforeDidAndAnEighthMore) {
  std::set<uint32_t> before;
  for (uint32_t step = 0; step <= 8; ++step) {
    const std::set<uint32_t> refused = RefusedAt(step);
    EXPECT_NEAR(static_cast<double>(refused.size()), 100.0 * step, 60.0);
    EXPECT_TRUE(std::includes(refused.begin(), refused.end(), before.begin(), before.end()));
    before = refused;
  }
  EXPECT_EQ(before.size(), 800u);
}

TEST(FlowTrackerRefuseNew, BothDirectionsOfAFlowFareAlike) {
  FlowFeeder feeder({.seed = 7});
  feeder.tracker().RefuseNew(uint64_t{1} << 31);
  int refused = 0;
  for (uint32_t number = 0; number < 100; ++number) {
    const Verdict there = feeder.Track(feeder.Make(FlowNumber(number), 1000));
    const Verdict back = feeder.Track(feeder.Make(FlowNumber(number).Reverse(), 1000));
    EXPECT_EQ(there, back) << number;
    refused += there == Verdict::kShed;
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, 100);
}

TEST(FlowTrackerRefuseNew, AFlowWhoseTimeIsOverIsANewOne) {
  FlowFeeder feeder;
  feeder.Send(FlowNumber(1), 1000);
  feeder.tracker().RefuseNew(uint64_t{1} << 32);
  feeder.Send(FlowNumber(1), 1000 + kSecond);
  EXPECT_EQ(feeder.tracker().alive(), 1u);
  EXPECT_EQ(feeder.Track(feeder.Make(FlowNumber(1), 1000 + 1000 * kSecond)), Verdict::kShed);
  EXPECT_EQ(feeder.tracker().alive(), 0u);
  ASSERT_EQ(feeder.Ended().size(), 1u);
  EXPECT_EQ(feeder.Ended()[0].packets[0], 2u);
}

TEST(FlowTrackerRefuseNew, ARefusedFlowLeavesNoTunnelBehind) {
  FlowFeeder feeder;
  feeder.tracker().RefuseNew(uint64_t{1} << 32);
  TunnelPath path;
  path.Clear();
  const uint32_t key = 5;
  path.Append(PathElement::kGreKey, &key, sizeof key);
  Packet packet = feeder.Make(FlowNumber(1), 1000);
  packet.tunnel = &path;
  EXPECT_EQ(feeder.Track(packet), Verdict::kShed);
  EXPECT_EQ(feeder.tracker().tunnels_in_use(), 0u);
}

}  // namespace
}  // namespace weir::test

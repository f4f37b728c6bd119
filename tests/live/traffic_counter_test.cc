// What a counter of traffic must do on a host whose network plug-ins own XDP and tc, requirement by
// requirement: exact counts of each address through packet sockets, whatever else stands at the
// interface and however many workers share it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/flow/flow_tracker.h"
#include "engine/shard.h"
#include "rings/packet_group.h"
#include "tests/support/eventually.h"
#include "tests/support/known_traffic.h"
#include "tests/support/netns.h"
#include "tests/support/packet_builder.h"
#include "tests/support/rich_traffic.h"
#include "tests/support/tc_program.h"

namespace weir::test {
namespace {

class TrafficCounterTest : public testing::Test {
 protected:
  void SetUp() override {
    WEIR_SKIP_WITHOUT_NETNS();
    pair_ = std::make_unique<VethPair>();
    const auto scope = pair_->near().Enter();
    sender_ = std::make_unique<RawSender>(VethPair::kNear);
  }

  void Open(int workers, const std::string& interface = VethPair::kFar,
            const ShardOptions& options = {.live = true}) {
    PacketSourceOptions source_options;
    source_options.interface = interface;
    source_options.ring = {.ring_bytes = 4 << 20, .block_bytes = 128 << 10, .retire_ms = 2};
    const auto scope = pair_->far().Enter();
    auto group = OpenPacketGroup(source_options, {.mode = FanoutMode::kEbpf}, workers);
    ASSERT_TRUE(group.ok()) << group.status();
    for (auto& source : group->sources) {
      std::vector<std::unique_ptr<FrameSource>> one;
      one.push_back(std::move(source));
      workers_.push_back(*Shard::Create(options, std::move(one)));
    }
  }
  void Send(const std::vector<Bytes>& frames) {
    const auto scope = pair_->near().Enter();
    for (const Bytes& frame : frames) sender_->Send(frame);
  }
  bool Poll() {
    bool done = true;
    for (const auto& worker : workers_) {
      for (const Event& event : worker->Poll()) {
        if (event.kind != EventKind::kFlowEnded) continue;
        const FlowRecord& record = *event.record;
        const FlowKey& key = record.key;
        AddTo(totals_, key.source, key.destination, record.packets[0], record.bytes[0]);
        AddTo(totals_, key.destination, key.source, record.packets[1], record.bytes[1]);
      }
      done &= worker->done();
    }
    return done;
  }
  // Until so many frames have come in; then ends the workers.
  void Finish(uint64_t frames) {
    EXPECT_TRUE(Eventually([&] {
      Poll();
      return Sum().received >= frames;
    }));
    for (const auto& worker : workers_) worker->Stop();
    while (!Poll()) {
    }
    EXPECT_TRUE(Sum().Balanced());
    EXPECT_EQ(Sum().ledger_errors, 0u);
  }
  Ledger Sum() const {
    Ledger sum;
    for (const auto& worker : workers_) sum.Add(worker->ledger());
    return sum;
  }

  std::unique_ptr<VethPair> pair_;
  std::unique_ptr<RawSender> sender_;
  std::vector<std::unique_ptr<Shard>> workers_;
  AddressTotals totals_;
};

TEST_F(TrafficCounterTest, AddressesOfBothFamiliesAreCountedExactly) {
  const KnownTraffic traffic;
  Open(1);
  Send(traffic.frames());
  Finish(traffic.frames().size());
  EXPECT_EQ(totals_, traffic.totals());
}

TEST_F(TrafficCounterTest, SeveralWorkersCountEachFrameOnce) {
  const KnownTraffic traffic;
  Open(4);
  Send(traffic.frames());
  Finish(traffic.frames().size());
  EXPECT_EQ(Sum().received, traffic.frames().size());
  EXPECT_EQ(Sum().tracked, traffic.frames().size());
  EXPECT_EQ(totals_, traffic.totals());
}

TEST_F(TrafficCounterTest, EachWorkerHasItsOwnStatisticsAndTheyAddUp) {
  const KnownTraffic traffic;
  Open(4);
  Send(traffic.frames());
  Finish(traffic.frames().size());
  uint64_t frames = 0, flows = 0;
  for (const auto& worker : workers_) {
    EXPECT_GT(worker->ledger().received, 0u);
    EXPECT_EQ(worker->source_counters().received, worker->ledger().received);
    EXPECT_EQ(worker->source_counters().ring_dropped, 0u);
    EXPECT_TRUE(worker->ledger().Balanced());
    frames += worker->ledger().received;
    flows += worker->flows().counters().started;
  }
  EXPECT_EQ(frames, traffic.frames().size());
  EXPECT_GT(flows, 0u);
}

TEST_F(TrafficCounterTest, HowFullTablesAndRingsAreShowsWhileItRuns) {
  const KnownTraffic traffic;
  Open(1);
  const FrameSource& source = *workers_[0]->sources()[0];
  EXPECT_EQ(source.Fill().used, 0u);
  EXPECT_EQ(source.Fill().units, 32u);
  Send(traffic.frames());
  EXPECT_GT(source.Fill().used, 0u) << "nobody has read yet";
  EXPECT_EQ(workers_[0]->flows().alive(), 0u);
  while (Sum().received < traffic.frames().size()) Poll();
  EXPECT_GT(workers_[0]->flows().alive(), 0u);
  EXPECT_LT(workers_[0]->flows().alive(), workers_[0]->flows().capacity());
  Finish(traffic.frames().size());
  EXPECT_EQ(source.Fill().used, 0u);
}

TEST_F(TrafficCounterTest, WhatCannotBeReadIsCountedByReasonAndInNoAddress) {
  Bytes version = PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build();
  version[14] = 0x75;
  Bytes header = version;
  header[14] = 0x44;
  Bytes ports = PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build();
  ports.resize(14 + 20 + 2);
  const Bytes arp = PacketBuilder().Ethernet().Raw(Bytes(28, 1), 0x0806).Build();
  Open(1);
  Send({version, header, header, ports, arp});
  Finish(5);
  const Ledger sum = Sum();
  EXPECT_EQ(sum.received, 5u);
  EXPECT_EQ(sum.malformed[static_cast<size_t>(Malformed::kIpVersion)], 1u);
  EXPECT_EQ(sum.malformed[static_cast<size_t>(Malformed::kIpHeaderLength)], 2u);
  EXPECT_EQ(sum.malformed[static_cast<size_t>(Malformed::kTransportTruncated)], 1u);
  EXPECT_EQ(sum.not_ip, 1u);
  EXPECT_EQ(sum.tracked, 0u);
  EXPECT_TRUE(totals_.empty());
}

// Both copies of what a host sends to itself are seen; one counts.
TEST_F(TrafficCounterTest, LoopbackTrafficIsCountedOnce) {
  DedupOptions dedup;
  dedup.mode = DedupMode::kLoopback;
  Open(1, "lo", {.dedup = dedup, .live = true});
  constexpr uint64_t kDatagrams = 100;
  {
    const auto scope = pair_->far().Enter();
    RawSender sender("lo");
    for (uint64_t i = 0; i < kDatagrams; ++i) {
      sender.Send(PacketBuilder()
                      .Ethernet("00:00:00:00:00:00", "00:00:00:00:00:00")
                      .Ipv4("127.0.0.1", "127.0.0.1")
                      .Udp(static_cast<uint16_t>(3000 + i), 9)
                      .Payload(i)
                      .Build());
    }
  }
  Finish(2 * kDatagrams);
  // A closed port answers: port unreachable, twice as well.
  EXPECT_EQ(Sum().tracked * 2, Sum().received);
  EXPECT_EQ(Sum().duplicate, Sum().tracked);
  EXPECT_GE(Sum().tracked, kDatagrams);
}

// Packet sockets stand in front of tc's ingress hook.
TEST_F(TrafficCounterTest, ATcProgramThatDropsEverythingChangesNoCount) {
  const auto program =
      TcProgram::Attach(pair_->far(), VethPair::kFar, TcHook::kIngress, TcAction::kDrop);
  ASSERT_TRUE(program.ok()) << program.status();
  const KnownTraffic traffic;
  Open(4);
  Send(traffic.frames());
  Finish(traffic.frames().size());
  EXPECT_EQ(totals_, traffic.totals());
}

TEST_F(TrafficCounterTest, ATcProgramThatRewritesAddressesChangesNoCount) {
  const auto program =
      TcProgram::Attach(pair_->far(), VethPair::kFar, TcHook::kIngress, TcAction::kRewriteSource);
  ASSERT_TRUE(program.ok()) << program.status();
  const KnownTraffic traffic;
  Open(4);
  Send(traffic.frames());
  Finish(traffic.frames().size());
  EXPECT_EQ(totals_, traffic.totals());
}

// So that the two above mean something: the host itself sees nothing behind a program that drops,
TEST_F(TrafficCounterTest, BehindTheDroppingProgramTheHostHearsNothing) {
  pair_->far().Ip(absl::StrCat("addr add 10.9.9.1/24 dev ", VethPair::kFar));
  const Bytes who_has = {0,  1, 8, 0, 6, 4, 0, 1, 2, 0, 0,  0, 0, 1,
                         10, 9, 9, 2, 0, 0, 0, 0, 0, 0, 10, 9, 9, 1};
  const Bytes request = PacketBuilder()
                            .Ethernet("02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff")
                            .Raw(who_has, 0x0806)
                            .Build();
  Open(1);
  {
    const auto program =
        TcProgram::Attach(pair_->far(), VethPair::kFar, TcHook::kIngress, TcAction::kDrop);
    ASSERT_TRUE(program.ok()) << program.status();
    Send({request});
  }
  Send({request});
  Finish(3);  // two requests, one answer
  EXPECT_EQ(Sum().not_ip, 3u);
}

// and what comes in behind a program that rewrites has another source.
TEST_F(TrafficCounterTest, BehindTheRewritingProgramSourcesAreOthers) {
  const KnownTraffic traffic(1);
  const auto program =
      TcProgram::Attach(pair_->near(), VethPair::kNear, TcHook::kEgress, TcAction::kRewriteSource);
  ASSERT_TRUE(program.ok()) << program.status();
  Open(1);
  Send(traffic.frames());
  Finish(traffic.frames().size());
  EXPECT_GT(totals_[AddressOf("192.0.2.1")][0], 0u);
  EXPECT_EQ(totals_[AddressOf("10.1.0.1")][0], 0u);
  EXPECT_GT(totals_[AddressOf("10.1.0.1")][2], 0u);
}

}  // namespace
}  // namespace weir::test

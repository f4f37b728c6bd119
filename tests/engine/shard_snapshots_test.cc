// Snapshots of a shard add up to what passed through it, whatever the limits, the merger's pace and
// the batches.

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>
#include <vector>

#include "engine/flow/flow_tracker.h"
#include "engine/shard.h"
#include "engine/stats/counters_merger.h"
#include "rings/memory_source.h"
#include "tests/support/frame_list.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::AsFrame;
using test::Bytes;
using test::FrameList;
using test::PacketBuilder;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'700'000'003 * kSecond;

Bytes RandomPacket(std::mt19937& random) {
  const uint32_t hosts = 60;
  const std::string a = std::to_string(1 + random() % hosts);
  const std::string b = std::to_string(1 + random() % hosts);
  const auto port = static_cast<uint16_t>(1 + random() % 3);
  PacketBuilder builder;
  builder.Ethernet();
  const bool vlan = random() % 8 == 0;
  if (vlan) builder.Vlan(static_cast<uint16_t>(1 + random() % 2));
  const bool wide = random() % 3 == 0;
  if (wide) {
    builder.Ipv6("fd00::" + a, "fd00::" + b);
  } else {
    builder.Ipv4("10.0.0." + a, "10.0.0." + b);
  }
  const uint32_t kind = random() % 10;
  if (kind == 0 && !wide) {  // first and last piece of one datagram
    const auto identity = static_cast<uint16_t>(random() % 4);
    const bool first = random() % 2 == 0;
    return PacketBuilder()
        .Ethernet()
        .Ipv4("10.0.1.1", "10.0.1.2")
        .Ipv4Fragment(identity, first ? 0 : 64, first)
        .Payload(64)
        .Build();
  }
  if (kind < 6) return builder.Udp(port, 53).Payload(random() % 400).Build();
  const uint8_t flags = kind == 6 ? tcp_flag::kSyn : kind == 7 ? tcp_flag::kRst : tcp_flag::kAck;
  return builder.Tcp(port, 80, {.seq = 1, .flags = flags}).Payload(random() % 400).Build();
}

// Some 40 s in which flows end by time-out and by RST, and start again in the same slots.
FrameList RandomTraffic(int packets, uint32_t seed) {
  std::mt19937 random(seed);
  FrameList frames;
  int64_t time = kStart;
  for (int i = 0; i < packets; ++i) {
    frames.Add(RandomPacket(random), time);
    time += random() % (80 * kSecond / packets);
  }
  return frames;
}

ShardOptions Options(CountBy by) {
  ShardOptions options;
  options.flow.max_flows = 2'000;
  options.flow.timeouts.udp = 2 * kSecond;
  options.events = event_mask::kPackets;
  options.snapshots.emplace();
  options.snapshots->by = by;
  options.snapshots->interval_ns = kSecond;
  return options;
}

std::unique_ptr<Shard> MakeShard(std::span<const Frame> frames, const ShardOptions& options) {
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(*MemorySource::FromFrames(frames));
  return *Shard::Create(options, std::move(sources));
}

// The same sums, made of packets one by one.
class Model {
 public:
  void Count(std::span<const Event> events) {
    for (const Event& event : events) {
      if (event.kind == EventKind::kPacket) Count(*event.packet);
    }
  }
  const std::map<AddressRow, TrafficCounts>& addresses() const { return addresses_; }

 private:
  void Count(const Packet& packet) {
    const size_t bytes = packet.family == AddressFamily::kIpv4   ? 4
                         : packet.family == AddressFamily::kIpv6 ? 16
                                                                 : 6;
    for (const size_t way : {0, 1}) {
      AddressRow row{packet.family, {}};
      std::memcpy(row.address.data(), way == 0 ? packet.source : packet.destination, bytes);
      TrafficCounts& counts = addresses_[row];
      counts.packets[way] += 1 + packet.held_packets;
      counts.bytes[way] += packet.wire_length + packet.held_bytes;
    }
  }

  std::map<AddressRow, TrafficCounts> addresses_;
};

struct Outcome {
  std::vector<std::unique_ptr<CountersReport>> reports;
  CountersMerger merger;
  Model model;
  Ledger ledger;
  uint64_t joined_intervals = 0;
};

void TakeAll(Shard& shard, Outcome& outcome) {
  while (Snapshot* const snapshot = shard.snapshots()->Take()) {
    outcome.merger.Add(*snapshot);
    shard.snapshots()->GiveBack(snapshot);
    while (auto report = outcome.merger.Take()) outcome.reports.push_back(std::move(report));
  }
}

// `polls`: from one taking of snapshots to the next.
Outcome CountAll(const FrameList& frames, const ShardOptions& options, int polls = 1) {
  Outcome outcome{{}, CountersMerger({.by = options.snapshots->by}), {}, {}, 0};
  auto shard = MakeShard(frames.Build(), options);
  for (int i = 1; !shard->done(); ++i) {
    outcome.model.Count(shard->Poll());
    if (i % polls == 0) TakeAll(*shard, outcome);
  }
  TakeAll(*shard, outcome);
  outcome.ledger = shard->ledger();
  outcome.joined_intervals = shard->Counters().joined_intervals;
  return outcome;
}

void ExpectSumsOfTheLedger(const Outcome& outcome) {
  uint64_t packets = 0;
  uint64_t bytes = 0;
  for (const auto& report : outcome.reports) {
    EXPECT_TRUE(report->Balanced()) << "interval " << report->first_epoch;
    packets += report->tracked_packets;
    bytes += report->tracked_bytes;
  }
  EXPECT_EQ(packets, outcome.ledger.tracked);
  EXPECT_EQ(bytes, outcome.ledger.tracked_bytes);
  EXPECT_GT(packets, 0);
  EXPECT_EQ(outcome.ledger.ledger_errors, 0);
}

std::map<AddressRow, TrafficCounts> Sorted(const AddressTable& table) {
  return {table.rows().begin(), table.rows().end()};
}

TEST(ShardSnapshots, AddressesAddUpToEachPacketInEveryInterval) {
  const Outcome outcome = CountAll(RandomTraffic(20'000, 1), Options(CountBy::kIp));
  ExpectSumsOfTheLedger(outcome);
  EXPECT_GE(outcome.reports.size(), 30);
  EXPECT_EQ(Sorted(outcome.merger.address_totals()), outcome.model.addresses());
  EXPECT_EQ(outcome.merger.address_totals().other(), TrafficCounts());
}

TEST(ShardSnapshots, FlowsAddUpInEveryInterval) {
  const Outcome outcome = CountAll(RandomTraffic(20'000, 2), Options(CountBy::kFlow));
  ExpectSumsOfTheLedger(outcome);
  EXPECT_EQ(outcome.merger.flow_totals().other(), TrafficCounts());
  EXPECT_GT(outcome.merger.flow_totals().rows().size(), 1'000);
}

TEST(ShardSnapshots, IntervalsFollowEachOtherAndAreComplete) {
  const Outcome outcome = CountAll(RandomTraffic(20'000, 3), Options(CountBy::kIp));
  const auto& reports = outcome.reports;
  for (size_t i = 0; i + 1 < reports.size(); ++i) {
    EXPECT_TRUE(reports[i]->complete);
    EXPECT_FALSE(reports[i]->last);
    EXPECT_EQ(reports[i]->start_ns, kStart + static_cast<int64_t>(i) * kSecond);
    EXPECT_EQ(reports[i]->end_ns, reports[i]->start_ns + kSecond);
  }
  EXPECT_TRUE(reports.back()->last);
  EXPECT_FALSE(reports.back()->complete) << "the traffic ended within it";
  EXPECT_LT(reports.back()->end_ns, reports.back()->start_ns + kSecond);
  EXPECT_EQ(reports.back()->shards[0].ledger.tracked, outcome.ledger.tracked);
}

// The addresses of flows that find no room are still exact.
TEST(ShardSnapshots, AddressesStayExactWhenFlowsFindNoRoom) {
  ShardOptions options = Options(CountBy::kIp);
  options.snapshots->flows = 50;
  const Outcome outcome = CountAll(RandomTraffic(20'000, 4), options);
  ExpectSumsOfTheLedger(outcome);
  EXPECT_EQ(Sorted(outcome.merger.address_totals()), outcome.model.addresses());
}

TEST(ShardSnapshots, WhatExceedsEveryLimitIsInOther) {
  ShardOptions options = Options(CountBy::kIp);
  options.snapshots->flows = 50;
  options.snapshots->addresses = 10;
  const Outcome outcome = CountAll(RandomTraffic(20'000, 5), options);
  ExpectSumsOfTheLedger(outcome);
  EXPECT_GT(outcome.merger.address_totals().other().packets[0], 0);
  EXPECT_GT(outcome.merger.address_totals().other().packets[1], 0);
}

TEST(ShardSnapshots, FlowsThatExceedTheLimitAreInOther) {
  ShardOptions options = Options(CountBy::kFlow);
  options.snapshots->flows = 50;
  const Outcome outcome = CountAll(RandomTraffic(20'000, 6), options);
  ExpectSumsOfTheLedger(outcome);
  EXPECT_GT(outcome.merger.flow_totals().other().packets[0], 0);
  for (const auto& report : outcome.reports) EXPECT_LE(report->flows.rows().size(), 50);
}

TEST(ShardSnapshots, ASlowMergerLosesResolutionAndNoCounts) {
  const Outcome outcome = CountAll(RandomTraffic(20'000, 7), Options(CountBy::kIp), 100);
  ExpectSumsOfTheLedger(outcome);
  EXPECT_EQ(Sorted(outcome.merger.address_totals()), outcome.model.addresses());
  EXPECT_LT(outcome.reports.size(), 20);
  uint64_t merged = 0;
  int64_t end_ns = kStart;
  for (const auto& report : outcome.reports) {
    EXPECT_EQ(report->start_ns, end_ns);
    end_ns = report->end_ns;
    if (report->first_epoch == report->last_epoch) continue;
    merged += static_cast<uint64_t>(report->last_epoch - report->first_epoch);
    EXPECT_FALSE(report->complete);
  }
  EXPECT_GT(merged, 0);
  EXPECT_EQ(outcome.joined_intervals, merged);
}

TEST(ShardSnapshots, AnOriginOfZeroAlignsToTheClock) {
  ShardOptions options = Options(CountBy::kIp);
  options.snapshots->interval_ns = 5 * kSecond;
  options.snapshots->origin_ns = 0;
  const Outcome outcome = CountAll(RandomTraffic(2'000, 8), options);
  ExpectSumsOfTheLedger(outcome);
  for (const auto& report : outcome.reports) EXPECT_EQ(report->start_ns % (5 * kSecond), 0);
  EXPECT_FALSE(outcome.reports[0]->complete) << "it began before the traffic did";
  EXPECT_TRUE(outcome.reports[1]->complete);
}

TEST(ShardSnapshots, EmptyIntervalsOfAFileAreLeftOut) {
  FrameList frames;
  for (const int64_t second : {0, 1, 3600}) {
    frames.Add(PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build(),
               kStart + second * kSecond);
  }
  const Outcome outcome = CountAll(frames, Options(CountBy::kIp));
  ExpectSumsOfTheLedger(outcome);
  ASSERT_EQ(outcome.reports.size(), 3);
  EXPECT_EQ(outcome.reports[2]->first_epoch, 3600);
}

TEST(ShardSnapshots, AnEmptySourceHasOneSnapshotTheLast) {
  auto source = *MemorySource::Create({.block_count = 2});
  source->End();
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(source));
  auto shard = *Shard::Create(Options(CountBy::kIp), std::move(sources));
  while (!shard->done()) shard->Poll();
  const Snapshot* const snapshot = shard->snapshots()->Take();
  ASSERT_NE(snapshot, nullptr);
  EXPECT_TRUE(snapshot->last);
  EXPECT_EQ(snapshot->tracked_packets, 0);
  EXPECT_EQ(shard->snapshots()->Take(), nullptr);
}

TEST(ShardSnapshots, AFlowToItselfCountsInBothWaysOfItsAddress) {
  FrameList frames;
  frames.Add(PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.1").Udp(1, 2).Build(), kStart);
  const Outcome outcome = CountAll(frames, Options(CountBy::kIp));
  ASSERT_EQ(outcome.merger.address_totals().rows().size(), 1);
  const TrafficCounts& counts = outcome.merger.address_totals().rows().begin()->second;
  EXPECT_EQ(counts.packets, (std::array<uint64_t, 2>{1, 1}));
}

TEST(ShardSnapshots, PairsOfMacAddressesCount) {
  ShardOptions options = Options(CountBy::kIp);
  options.flow.key = KeyKind::kMacPair;
  options.decoder.mac_addresses = true;
  FrameList frames;
  frames.Add(PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build(), kStart);
  const Outcome outcome = CountAll(frames, options);
  const AddressRow row{AddressFamily::kMac, {2, 0, 0, 0, 0, 1}};
  ASSERT_EQ(outcome.merger.address_totals().rows().count(row), 1);
  EXPECT_EQ(outcome.merger.address_totals().rows().at(row).packets[0], 1);
}

TEST(ShardSnapshots, EqualFlowsInTwoTunnelsAreTwoRows) {
  FrameList frames;
  for (const uint32_t vni : {1u, 2u}) {
    frames.Add(PacketBuilder()
                   .Ethernet()
                   .Ipv4("192.0.2.1", "192.0.2.2")
                   .Udp(4789, 4789)
                   .Vxlan(vni)
                   .Ethernet()
                   .Ipv4("10.0.0.1", "10.0.0.2")
                   .Udp(1, 2)
                   .Build(),
               kStart);
  }
  const Outcome outcome = CountAll(frames, Options(CountBy::kFlow));
  EXPECT_EQ(outcome.merger.flow_totals().rows().size(), 2);
  EXPECT_FALSE(outcome.merger.flow_totals().rows().begin()->first.tunnel.empty());
}

// A live shard's intervals end by the clock while the wire is silent.
TEST(ShardSnapshots, ASilentLiveShardEndsItsIntervals) {
  ShardOptions options = Options(CountBy::kIp);
  options.live = true;
  options.snapshots->interval_ns = 20'000'000;
  options.clock_slack_ns = 0;
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(*MemorySource::Create({.block_count = 2}));
  auto shard = *Shard::Create(options, std::move(sources));
  Snapshot* snapshot = nullptr;
  while (snapshot == nullptr) {
    shard->Poll();
    ASSERT_TRUE(shard->Wait().ok());
    snapshot = shard->snapshots()->Take();
  }
  EXPECT_EQ(snapshot->end_ns, snapshot->start_ns + 20'000'000);
  EXPECT_TRUE(snapshot->complete);
  EXPECT_FALSE(snapshot->last);
}

TEST(ShardSnapshots, StopHandsOverTheLastInterval) {
  ShardOptions options = Options(CountBy::kIp);
  const std::vector<Bytes> bytes(
      1, PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build());
  auto source = *MemorySource::Create({.block_count = 4});
  const Frame frame = AsFrame(bytes[0], link_type::kEthernet, kStart);
  ASSERT_EQ(source->Refill({&frame, 1}), 1);
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(source));
  auto shard = *Shard::Create(options, std::move(sources));
  shard->Poll();
  shard->Stop();
  while (!shard->done()) shard->Poll();
  const Snapshot* const snapshot = shard->snapshots()->Take();
  ASSERT_NE(snapshot, nullptr);
  EXPECT_TRUE(snapshot->last);
  EXPECT_EQ(snapshot->tracked_packets, 1);
}

// Totals are exact while traffic flows: two shards count, a third thread merges.
TEST(ShardSnapshots, TotalsAreExactWhileTrafficFlows) {
  constexpr uint32_t kShards = 2;
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<Model> models(kShards);
  for (uint32_t i = 0; i < kShards; ++i) {
    ShardOptions options = Options(CountBy::kIp);
    options.snapshots->shard = i;
    options.snapshots->origin_ns = 0;
    options.snapshots->interval_ns = kSecond / 5;
    shards.push_back(MakeShard(RandomTraffic(20'000, 10 + i).Build(), options));
  }
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kShards; ++i) {
    threads.emplace_back([&shard = *shards[i], &model = models[i]] {
      while (!shard.done()) model.Count(shard.Poll());
    });
  }
  CountersMerger merger({.by = CountBy::kIp, .shards = kShards});
  uint64_t tracked = 0;
  for (bool last = false; !last;) {
    for (const auto& shard : shards) {
      Snapshot* const snapshot = shard->snapshots()->Take();
      if (snapshot == nullptr) continue;
      merger.Add(*snapshot);
      shard->snapshots()->GiveBack(snapshot);
    }
    while (const auto report = merger.Take()) {
      EXPECT_TRUE(report->Balanced());
      tracked += report->tracked_packets;
      last = report->last;
    }
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(tracked, shards[0]->ledger().tracked + shards[1]->ledger().tracked);
  std::map<AddressRow, TrafficCounts> sum = models[0].addresses();
  for (const auto& [row, counts] : models[1].addresses()) sum[row].Add(counts);
  EXPECT_EQ(Sorted(merger.address_totals()), sum);
}

}  // namespace
}  // namespace weir

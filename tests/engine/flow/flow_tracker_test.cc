// The flow tracker beside TCP and keys: time-outs, eviction, totals, live flows. tcp_life_test.cc
// and flow_keys_test.cc have the rest.
#include "engine/flow/flow_tracker.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "tests/support/flow_feeder.h"

namespace weir {
namespace {

using test::FlowFeeder;
using test::kMillisecond;
using test::kSecond;
using test::MakeSender;
using test::Sender;

const Sender kQuery = MakeSender(ip_protocol::kUdp, 0x0a000001, 5000, 0x0a000002, 53);

TEST(FlowTracker, TwoDirectionsAreOneFlowWithTheFirstSenderAsInitiator) {
  FlowFeeder feeder;
  feeder.Send(kQuery.Reverse(), kSecond, 100);
  feeder.Send(kQuery, 2 * kSecond, 70);
  feeder.Send(kQuery, 3 * kSecond, 70);
  feeder.Flush();
  ASSERT_EQ(feeder.Ended().size(), 1u);
  const FlowRecord record = feeder.Ended()[0];
  EXPECT_EQ(record.key.source_port, 53);
  EXPECT_EQ(record.key.source[3], 2);
  EXPECT_EQ(record.key.destination_port, 5000);
  EXPECT_EQ(record.packets, (std::array<uint64_t, 2>{1, 2}));
  EXPECT_EQ(record.bytes, (std::array<uint64_t, 2>{100, 140}));
  EXPECT_EQ(record.start_ns, kSecond);
  EXPECT_EQ(record.end_ns, 3 * kSecond);
  EXPECT_EQ(record.end, FlowEnd::kEnd);
  EXPECT_EQ(record.state, FlowState::kEstablished);
  EXPECT_TRUE(record.answered);
  EXPECT_STREQ(record.history.data(), "Dd");
}

TEST(FlowTracker, APacketAfterTheDeadlineStartsANewFlow) {
  FlowFeeder feeder;
  feeder.Send(kQuery, kSecond);
  feeder.Send(kQuery, 61 * kSecond);
  EXPECT_EQ(feeder.Ended().size(), 0u) << "exactly at the deadline the flow goes on";
  feeder.Send(kQuery, 121 * kSecond + 1);
  ASSERT_EQ(feeder.Ended().size(), 1u);
  EXPECT_EQ(feeder.Ended()[0].end, FlowEnd::kIdle);
  EXPECT_EQ(feeder.Ended()[0].packets[0], 2u);
  EXPECT_EQ(feeder.tracker().alive(), 1u);
}

TEST(FlowTracker, FlowsEndOnTimeWithNoTraffic) {
  FlowFeeder feeder;
  feeder.Send(kQuery, 1000 * kSecond);
  feeder.AdvanceTo(1060 * kSecond);
  EXPECT_EQ(feeder.Ended().size(), 0u);
  feeder.AdvanceTo(1060 * kSecond + 100 * kMillisecond);
  ASSERT_EQ(feeder.Ended().size(), 1u);
  EXPECT_EQ(feeder.Ended()[0].end, FlowEnd::kIdle);
  EXPECT_EQ(feeder.Ended()[0].end_ns, 1000 * kSecond);
}

TEST(FlowTracker, NextExpiryTellsWhenToCallAgain) {
  FlowFeeder feeder;
  EXPECT_EQ(feeder.tracker().NextExpiry(), INT64_MAX);
  feeder.Send(kQuery, 1000 * kSecond);
  EXPECT_GE(feeder.tracker().NextExpiry(), 1060 * kSecond);
  EXPECT_LE(feeder.tracker().NextExpiry(), 1060 * kSecond + 100 * kMillisecond);
}

// The other source of a merged capture runs far ahead: its first frame looks like a long silence,
// and that is all.
TEST(FlowTracker, AFlowWhoseTimeStampsLagBehindTheClockIsNotCutAtEveryPacket) {
  FlowFeeder feeder;
  const Sender other = MakeSender(ip_protocol::kUdp, 1, 1, 2, 2);
  for (int i = 0; i < 500; ++i) {
    feeder.Send(kQuery, (100 + i) * kSecond);
    feeder.Send(other, (190 + i) * kSecond);
    feeder.AdvanceTo(0);
  }
  feeder.Flush();
  ASSERT_EQ(feeder.Ended().size(), 3u);
  EXPECT_EQ(feeder.Ended()[0].packets[0], 1u);
  EXPECT_EQ(feeder.Ended()[1].packets[0] + feeder.Ended()[2].packets[0], 999u);
}

TEST(FlowTracker, CountersCarryBeyondSixteenAndThirtyTwoBits) {
  FlowFeeder feeder({}, event_mask::kRecords);
  Packet packet = feeder.Make(kQuery, kSecond, 1u << 20);
  for (int i = 0; i < 70'000; ++i) feeder.Track(packet);
  feeder.Flush();
  ASSERT_EQ(feeder.Ended().size(), 1u);
  EXPECT_EQ(feeder.Ended()[0].packets[0], 70'000u);
  EXPECT_EQ(feeder.Ended()[0].bytes[0], uint64_t{70'000} << 20);
}

TEST(FlowTracker, HeldFragmentsCountInTheFlowOfTheirDatagram) {
  FlowFeeder feeder;
  Packet packet = feeder.Make(kQuery, kSecond, 500);
  packet.held_packets = 3;
  packet.held_bytes = 4500;
  feeder.Track(packet);
  feeder.Flush();
  EXPECT_EQ(feeder.Ended()[0].packets[0], 4u);
  EXPECT_EQ(feeder.Ended()[0].bytes[0], 5000u);
}

TEST(FlowTracker, ActiveTimeoutSendsInterimRecordsWithDeltas) {
  FlowOptions options;
  options.timeouts.active = 10 * kSecond;
  FlowFeeder feeder(options);
  for (int i = 0; i <= 25; ++i) feeder.Send(kQuery, (100 + i) * kSecond, 100);
  feeder.Flush();
  const auto interim = feeder.Records(EventKind::kFlowInterim);
  ASSERT_EQ(interim.size(), 2u);
  EXPECT_EQ(interim[0].end, FlowEnd::kActive);
  EXPECT_EQ(interim[0].interim, 0);
  EXPECT_EQ(interim[0].packets_delta[0], 10u);
  EXPECT_EQ(interim[1].interim, 1);
  EXPECT_EQ(interim[1].packets[0], 20u);
  EXPECT_EQ(interim[1].packets_delta[0], 10u);
  const FlowRecord last = feeder.Ended()[0];
  EXPECT_EQ(last.packets[0], 26u);
  EXPECT_EQ(last.packets_delta[0], 6u);
  EXPECT_EQ(last.bytes_delta[0], 600u);
}

TEST(FlowTracker, StartedAndEstablishedAreReportedOnce) {
  FlowFeeder feeder;
  for (int i = 0; i < 3; ++i) {
    feeder.Send(kQuery, kSecond);
    feeder.Send(kQuery.Reverse(), kSecond);
  }
  EXPECT_EQ(feeder.Count(EventKind::kFlowStarted), 1u);
  EXPECT_EQ(feeder.Count(EventKind::kFlowEstablished), 1u);
  EXPECT_EQ(feeder.Records(EventKind::kFlowStarted)[0].packets[0], 1u);
}

TEST(FlowTracker, AFullTableEvictsAndTotalsStayExact) {
  FlowFeeder feeder({.max_flows = 500}, event_mask::kRecords);
  std::mt19937 random(3);
  uint64_t packets = 0, bytes = 0;
  for (int i = 0; i < 100'000; ++i) {
    const uint32_t host = random() % 5000;
    const uint32_t length = 60 + random() % 1400;
    feeder.Send(MakeSender(ip_protocol::kUdp, host, 1, 0x0a000001, 2), i * kMillisecond / 10,
                length);
    ++packets;
    bytes += length;
  }
  EXPECT_EQ(feeder.counters().ended_packets + feeder.tracker().AlivePackets(), packets);
  feeder.Flush();
  uint64_t record_packets = 0, record_bytes = 0;
  for (const FlowRecord& record : feeder.Ended()) {
    record_packets += record.packets[0] + record.packets[1];
    record_bytes += record.bytes[0] + record.bytes[1];
  }
  EXPECT_EQ(record_packets, packets);
  EXPECT_EQ(record_bytes, bytes);
  EXPECT_GT(feeder.counters().ended[static_cast<size_t>(FlowEnd::kEvicted)], 10'000u);
}

// PEERS: plain LRU lets a SYN flood evict established flows.
TEST(FlowTracker, ASynFloodDoesNotEvictEstablishedFlows) {
  FlowFeeder feeder({.max_flows = 1000}, event_mask::kRecords);
  const auto client = [](uint32_t i) {
    return MakeSender(ip_protocol::kTcp, 0x0a000000 + i, 1000, 0x0b000001, 80);
  };
  for (uint32_t i = 0; i < 300; ++i) {
    feeder.SendTcp(client(i), kSecond, {.flags = tcp_flag::kSyn, .sequence = 1});
    feeder.SendTcp(client(i).Reverse(), kSecond,
                   {.flags = tcp_flag::kSyn | tcp_flag::kAck, .sequence = 9, .acknowledgement = 2});
    feeder.SendTcp(client(i), kSecond, {.sequence = 2, .acknowledgement = 10});
  }
  for (uint32_t i = 0; i < 50'000; ++i) {
    feeder.SendTcp(MakeSender(ip_protocol::kTcp, 0x20000000 + i, 7, 0x0b000001, 80), 2 * kSecond,
                   {.flags = tcp_flag::kSyn, .sequence = i});
  }
  for (const FlowRecord& record : feeder.Ended()) ASSERT_EQ(record.state, FlowState::kSynSent);
  EXPECT_EQ(feeder.tracker().alive(), 1000u);
}

TEST(FlowTracker, ResultsDoNotDependOnBatchesOrSweeps) {
  const auto run = [](size_t batch_size, bool sweep) {
    auto tracker = *FlowTracker::Create({.seed = 9});
    EventBuffer events(event_mask::kRecords);
    std::map<std::string, int> records;
    const auto keep = [&] {
      for (const Event& event : events.events()) {
        const FlowRecord& r = *event.record;
        ++records[std::to_string(r.key.source_port) + " " + std::to_string(r.packets[0]) + " " +
                  std::to_string(r.packets[1]) + " " + std::to_string(r.start_ns) + " " +
                  std::to_string(r.end_ns) + " " + std::string(Name(r.end))];
      }
      events.Clear();
    };
    std::mt19937 random(4);
    std::vector<Sender> senders;
    std::vector<int64_t> times;
    int64_t now = 1000 * kSecond;
    for (int i = 0; i < 20'000; ++i) {
      const Sender sender =
          MakeSender(ip_protocol::kUdp, 1, static_cast<uint16_t>(1 + random() % 50), 2, 60'000);
      senders.push_back(random() % 2 == 0 ? sender : sender.Reverse());
      now += static_cast<int64_t>(random() % 100 == 0 ? random() % (70u * 1000) : random() % 1500) *
             kMillisecond;
      times.push_back(now - static_cast<int64_t>(random() % 50) * kMillisecond);
    }
    for (size_t start = 0; start < senders.size(); start += batch_size) {
      std::vector<Packet> packets(std::min(batch_size, senders.size() - start));
      std::vector<Frame> frames(packets.size());
      for (size_t i = 0; i < packets.size(); ++i) {
        const Sender& sender = senders[start + i];
        packets[i].source = sender.source.data();
        packets[i].destination = sender.destination.data();
        packets[i].source_port = sender.source_port;
        packets[i].destination_port = sender.destination_port;
        packets[i].protocol = sender.protocol;
        packets[i].family = sender.family;
        packets[i].timestamp_ns = times[start + i];
      }
      tracker->Track(frames, packets, events);
      keep();
      while (sweep && tracker->Expire(events)) keep();
      keep();
    }
    while (tracker->Flush(events)) keep();
    keep();
    return records;
  };
  const auto expected = run(1, true);
  EXPECT_GT(expected.size(), 1000u);
  EXPECT_EQ(run(64, true), expected);
  EXPECT_EQ(run(7, false), expected);
}

TEST(FlowTracker, LiveFlowsAreLookedUpReadAndEnded) {
  FlowFeeder feeder;
  feeder.Send(kQuery, kSecond, 100);
  FlowKey key{.source = kQuery.destination,
              .destination = kQuery.source,
              .source_port = 53,
              .destination_port = 5000,
              .protocol = ip_protocol::kUdp,
              .family = AddressFamily::kIpv4};
  const auto flow = feeder.tracker().Lookup(key);
  ASSERT_TRUE(flow.has_value());
  *feeder.tracker().User(*flow) = 77;
  FlowRecord record;
  ASSERT_TRUE(feeder.tracker().Read(*flow, record));
  EXPECT_EQ(record.bytes[0], 100u);
  EXPECT_EQ(record.user, 77u);
  int seen = 0;
  feeder.tracker().ForEach([&](FlowHandle handle) { seen += handle == *flow; });
  EXPECT_EQ(seen, 1);
  const auto last = feeder.tracker().End(*flow);
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->packets[0], 1u);
  EXPECT_FALSE(feeder.tracker().Read(*flow, record)) << "the handle no longer names a live flow";
  EXPECT_FALSE(feeder.tracker().Lookup(key).has_value());
  feeder.Send(kQuery, kSecond);
  EXPECT_FALSE(feeder.tracker().Read(*flow, record)) << "nor the next flow in its place";
}

TEST(FlowTracker, ABypassedFlowIsCountedButItsPacketsAreNotReported) {
  auto tracker = *FlowTracker::Create({});
  EventBuffer events(event_mask::kPackets);
  FlowFeeder maker;
  const Frame frame;
  Packet packet = maker.Make(kQuery, kSecond);
  tracker->Track({&frame, 1}, {&packet, 1}, events);
  ASSERT_EQ(events.events().size(), 1u);
  const FlowHandle flow = events.events()[0].flow;
  EXPECT_TRUE(tracker->Bypass(flow, true));
  events.Clear();
  tracker->Track({&frame, 1}, {&packet, 1}, events);
  EXPECT_TRUE(events.events().empty());
  FlowRecord record;
  ASSERT_TRUE(tracker->Read(flow, record));
  EXPECT_EQ(record.packets[0], 2u);
}

TEST(FlowTracker, FlowIdsAreUniqueThroughReuseOfPlaces) {
  FlowFeeder feeder({.max_flows = 20}, event_mask::kRecords);
  for (uint32_t i = 0; i < 5000; ++i) {
    feeder.Send(MakeSender(ip_protocol::kUdp, i, 1, 2, 2), i * kMillisecond);
  }
  feeder.Flush();
  std::set<uint64_t> ids;
  for (const FlowRecord& record : feeder.Ended()) ids.insert(record.flow_id);
  EXPECT_EQ(ids.size(), 5000u);
}

TEST(FlowTracker, TimeoutsOfCenturiesNeverEndAFlow) {
  FlowOptions options;
  options.timeouts.udp = INT64_MAX;
  FlowFeeder feeder(options);
  feeder.Send(kQuery, 1'700'000'000 * kSecond);
  feeder.AdvanceTo(1'800'000'000 * kSecond);
  feeder.Send(kQuery, 1'900'000'000 * kSecond);
  feeder.AdvanceTo(1'950'000'000 * kSecond);
  EXPECT_EQ(feeder.Ended().size(), 0u);
  EXPECT_EQ(feeder.tracker().alive(), 1u);
}

TEST(FlowTracker, ImpossibleTimeStampsDoNoHarm) {
  FlowFeeder feeder;
  for (const int64_t time : {INT64_MAX, INT64_MIN, int64_t{-1}, int64_t{0}, INT64_MAX, kSecond}) {
    feeder.Send(kQuery, time);
    feeder.AdvanceTo(0);
  }
  feeder.Flush();
  uint64_t packets = 0;
  for (const FlowRecord& record : feeder.Ended()) packets += record.packets[0];
  EXPECT_EQ(packets, 6u);
}

TEST(FlowTracker, RefusesSizesThatCannotBe) {
  EXPECT_EQ(FlowTracker::Create({.max_flows = 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FlowTracker::Create({.max_flows = UINT32_MAX}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace weir

#include "engine/shard.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <thread>

#include "engine/flow/flow_tracker.h"
#include "rings/memory_source.h"
#include "tests/support/frame_list.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::AsFrame;
using test::Bytes;
using test::FrameList;
using test::PacketBuilder;

Bytes Udp(const std::string& source, uint16_t source_port, size_t size = 20) {
  return PacketBuilder()
      .Ethernet()
      .Ipv4(source, "10.0.0.9")
      .Udp(source_port, 53)
      .Payload(size)
      .Build();
}

std::unique_ptr<Shard> MakeShard(const FrameList& frames, const ShardOptions& options = {}) {
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(*MemorySource::FromFrames(frames.Build()));
  return *Shard::Create(options, std::move(sources));
}

std::vector<FlowRecord> Drain(Shard& shard) {
  std::vector<FlowRecord> records;
  while (!shard.done()) {
    for (const Event& event : shard.Poll()) {
      if (event.kind == EventKind::kFlowEnded) records.push_back(*event.record);
    }
    EXPECT_TRUE(shard.Wait().ok());
  }
  return records;
}

// Wrong transport checksums that a shard finds in one frame that has one.
uint64_t WrongChecksums(ChecksumMode mode, bool streams) {
  FrameList frames;
  Bytes bytes = Udp("10.0.0.1", 1000);
  bytes.back() ^= 1;
  frames.Add(bytes, 1'000);
  ShardOptions options;
  options.checksum = mode;
  if (streams) options.flow.streams.emplace();
  auto shard = MakeShard(frames, options);
  EXPECT_EQ(Drain(*shard).size(), 1u);
  EXPECT_EQ(shard->ledger().tracked, 1u);
  return shard->ledger().anomaly[static_cast<size_t>(Anomaly::kTransportChecksum)];
}

TEST(Shard, CountsWrongChecksumsWhereStreamsAreReassembled) {
  EXPECT_EQ(WrongChecksums(ChecksumMode::kCount, true), 1u);
  EXPECT_EQ(WrongChecksums(ChecksumMode::kCount, false), 0u);
}

TEST(Shard, CountsWrongChecksumsWhereTheyAreRefused) {
  EXPECT_EQ(WrongChecksums(ChecksumMode::kDrop, true), 1u);
  EXPECT_EQ(WrongChecksums(ChecksumMode::kDrop, false), 1u);
}

TEST(Shard, LooksAtNoChecksumWhereTheyAreIgnored) {
  EXPECT_EQ(WrongChecksums(ChecksumMode::kIgnore, true), 0u);
  EXPECT_EQ(WrongChecksums(ChecksumMode::kIgnore, false), 0u);
}

TEST(Shard, NeedsASource) {
  EXPECT_EQ(Shard::Create({}, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Shard, TurnsFramesIntoFlows) {
  FrameList frames;
  for (int i = 0; i < 1000; ++i)
    frames.Add(Udp("10.0.0." + std::to_string(1 + i % 4), 1000), 1'000'000 * i);
  auto shard = MakeShard(frames);
  const auto records = Drain(*shard);
  ASSERT_EQ(records.size(), 4u);
  for (const FlowRecord& record : records) {
    EXPECT_EQ(record.packets[0], 250u);
    EXPECT_EQ(record.bytes[0], 250u * 62);
    EXPECT_EQ(record.end, FlowEnd::kEnd);
  }
  EXPECT_EQ(shard->ledger().received, 1000u);
  EXPECT_EQ(shard->ledger().tracked, 1000u);
  EXPECT_TRUE(shard->ledger().Balanced());
  EXPECT_TRUE(shard->status().ok());
}

TEST(Shard, EveryFrameEndsInOneCounter) {
  FrameList frames;
  frames.Add(Udp("10.0.0.1", 1), 1);
  Bytes arp(60, 0);
  arp[12] = 0x08;
  arp[13] = 0x06;
  frames.Add(arp, 2);
  Bytes cut = Udp("10.0.0.1", 1);
  cut.resize(20);
  frames.Add(cut, 3);
  auto shard = MakeShard(frames);
  Drain(*shard);
  const Ledger& ledger = shard->ledger();
  EXPECT_EQ(ledger.received, 3u);
  EXPECT_EQ(ledger.tracked, 1u);
  EXPECT_EQ(ledger.not_ip, 1u);
  EXPECT_EQ(ledger.malformed[static_cast<size_t>(Malformed::kIpTruncated)], 1u);
  EXPECT_EQ(ledger.ledger_errors, 0u);
}

class OddPortFilter final : public PacketFilter {
 public:
  void Apply(std::span<const Frame>, std::span<Packet> packets) override {
    for (Packet& packet : packets) {
      if (packet.source_port % 2 == 1) Refuse(packet);
    }
  }
};

TEST(Shard, FilteredFramesAreCountedAndNotReported) {
  FrameList frames;
  for (uint16_t port = 1; port <= 10; ++port) frames.Add(Udp("10.0.0.1", port), port);
  ShardOptions options;
  options.filters.push_back(std::make_shared<OddPortFilter>());
  options.events = event_mask::kFrames | event_mask::kPackets;
  auto shard = MakeShard(frames, options);
  int frame_events = 0, packet_events = 0;
  while (!shard->done()) {
    for (const Event& event : shard->Poll()) {
      frame_events += event.kind == EventKind::kFrame;
      packet_events += event.kind == EventKind::kPacket;
      EXPECT_EQ(event.packet->source_port % 2, 0);
      EXPECT_EQ(event.packet->payload_length, 20u);
    }
  }
  EXPECT_EQ(frame_events, 5);
  EXPECT_EQ(packet_events, 5);
  EXPECT_EQ(shard->ledger().FilteredTotal(), 5u);
}

TEST(Shard, WhatIsMaskedOffIsNotReported) {
  FrameList frames;
  frames.Add(Udp("10.0.0.1", 1), 1);
  ShardOptions options;
  options.events = 0;
  auto shard = MakeShard(frames, options);
  while (!shard->done()) EXPECT_TRUE(shard->Poll().empty());
  EXPECT_EQ(shard->flows().counters().started, 1u);
}

TEST(Shard, AnIcmpErrorNamesTheFlowItIsAbout) {
  FrameList frames;
  const Bytes query = Udp("10.0.0.1", 4000);
  frames.Add(query, 1);
  const Bytes quoted(query.begin() + 14, query.begin() + 14 + 28);
  frames.Add(
      PacketBuilder().Ethernet().Ipv4("10.0.0.9", "10.0.0.1").Icmp(3, 3).Payload(quoted).Build(),
      2);
  ShardOptions options;
  options.events = event_mask::kPackets;
  auto shard = MakeShard(frames, options);
  std::vector<Event> events;
  while (!shard->done()) {
    for (const Event& event : shard->Poll()) events.push_back(event);
  }
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].about, events[0].flow);
  EXPECT_NE(events[1].flow, events[0].flow) << "it counts as its own packet";
}

// The events' flows of `query` and of an ICMP error about it, and the flow that the error names.
struct About {
  FlowHandle query, error, about;
};
About AboutOf(const Bytes& query, const Bytes& error, ShardOptions options = {}) {
  FrameList frames;
  frames.Add(query, 1);
  frames.Add(error, 2);
  options.events = event_mask::kPackets;
  auto shard = MakeShard(frames, options);
  std::vector<Event> events;
  while (!shard->done()) {
    for (const Event& event : shard->Poll()) events.push_back(event);
  }
  if (events.size() != 2) return {};
  return {events[0].flow, events[1].flow, events[1].about};
}

PacketBuilder ErrorIn(PacketBuilder link, const Bytes& quoted) {
  return link.Ipv4("10.0.0.254", "10.0.0.1").Icmp(11, 0).Payload(quoted);
}
PacketBuilder Tagged() { return PacketBuilder().Ethernet().Vlan(5); }
PacketBuilder Tunnelled() {
  return PacketBuilder()
      .Ipv4("192.0.2.1", "192.0.2.2")
      .Gre()
      .Ipv4("10.1.0.1", "10.1.0.2")
      .Udp(1, 2);
}

TEST(Shard, AnIcmpErrorAboutATunnelInAVlanNamesTheFlowInside) {
  const Bytes inside = Tunnelled().Payload(8).Build();
  const Bytes query = Tagged()
                          .Ipv4("192.0.2.1", "192.0.2.2")
                          .Gre()
                          .Ipv4("10.1.0.1", "10.1.0.2")
                          .Udp(1, 2)
                          .Payload(8)
                          .Build();
  const About flows = AboutOf(query, ErrorIn(Tagged(), inside).Build());
  EXPECT_NE(flows.query, FlowHandle{});
  EXPECT_EQ(flows.about, flows.query);
}

TEST(Shard, AnIcmpErrorIsDecodedAsItsFlowWas) {
  const Bytes inside = Tunnelled().Payload(8).Build();
  ShardOptions options;
  options.decoder.decapsulate = false;
  const Bytes query = PacketBuilder()
                          .Ethernet()
                          .Ipv4("192.0.2.1", "192.0.2.2")
                          .Gre()
                          .Ipv4("10.1.0.1", "10.1.0.2")
                          .Udp(1, 2)
                          .Payload(8)
                          .Build();
  const About flows = AboutOf(query, ErrorIn(PacketBuilder().Ethernet(), inside).Build(), options);
  EXPECT_NE(flows.query, FlowHandle{});
  EXPECT_EQ(flows.about, flows.query);
}

TEST(Shard, AnIcmpErrorInATunnelNamesAFlowOfAnEmbeddersKey) {
  const Bytes inside = Tunnelled().Payload(8).Build();
  ShardOptions options;
  options.flow.extension.function = [](void*, const Frame&, const Packet&) -> uint64_t {
    return 7;
  };
  const Bytes query = Tagged()
                          .Ipv4("192.0.2.1", "192.0.2.2")
                          .Gre()
                          .Ipv4("10.1.0.1", "10.1.0.2")
                          .Udp(1, 2)
                          .Payload(8)
                          .Build();
  const About flows = AboutOf(query, ErrorIn(Tagged(), inside).Build(), options);
  EXPECT_NE(flows.query, FlowHandle{});
  EXPECT_EQ(flows.about, flows.query);
}

TEST(Shard, AnIcmpErrorMayQuoteAFirstFragment) {
  const auto fragment = [](PacketBuilder start, uint32_t offset, bool more) {
    return start.Ipv4("10.0.0.1", "10.0.0.9").Ipv4Fragment(9, offset, more);
  };
  const Bytes header = {0x0f, 0xa0, 0, 53, 0, 24, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
  const Bytes quoted = fragment(PacketBuilder(), 0, true).Payload(header).Build();
  const About flows =
      AboutOf(Udp("10.0.0.1", 4000), ErrorIn(PacketBuilder().Ethernet(), quoted).Build());
  EXPECT_NE(flows.query, FlowHandle{});
  EXPECT_EQ(flows.about, flows.query);
}

TEST(Shard, PacketTimeIsThatOfAllFrames) {
  FrameList frames;
  const Bytes arp = PacketBuilder().Ethernet().Raw(Bytes(28), 0x0806).Build();
  frames.Add(Udp("10.0.0.1", 1), 1'000'000'000);
  frames.Add(arp, 500'000'000'000);
  auto shard = MakeShard(frames);
  const auto records = Drain(*shard);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].end, FlowEnd::kIdle);
  EXPECT_EQ(shard->time_ns(), 500'000'000'000);
}

TEST(Shard, PingsPairRequestAndReply) {
  FrameList frames;
  frames.Add(
      PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Icmp(8, 0, 77, 1).Payload(8).Build(),
      1);
  frames.Add(
      PacketBuilder().Ethernet().Ipv4("10.0.0.2", "10.0.0.1").Icmp(0, 0, 77, 1).Payload(8).Build(),
      2);
  auto shard = MakeShard(frames);
  const auto records = Drain(*shard);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].packets, (std::array<uint64_t, 2>{1, 1}));
  EXPECT_EQ(records[0].icmp_type, 8);
}

TEST(Shard, StopEndsAllFlowsWithTheReasonEnd) {
  MemorySourceOptions ring;
  ring.block_count = 4;
  auto source = *MemorySource::Create(ring);
  const Bytes bytes = Udp("10.0.0.1", 1);
  const Frame frame = AsFrame(bytes, link_type::kEthernet, 1'000'000'000);
  source->Refill({&frame, 1});
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(std::move(source));
  auto shard = *Shard::Create({}, std::move(sources));
  shard->Poll();
  EXPECT_EQ(shard->flows().alive(), 1u);
  EXPECT_FALSE(shard->done());
  std::thread([&] { shard->Stop(); }).join();
  const auto records = Drain(*shard);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].end, FlowEnd::kEnd);
}

TEST(Shard, ItsDescriptorIsReadableWhileThereIsWork) {
  FrameList frames;
  frames.Add(Udp("10.0.0.1", 1), 1);
  auto shard = MakeShard(frames);
  pollfd descriptor{.fd = shard->fd(), .events = POLLIN, .revents = 0};
  ASSERT_GE(descriptor.fd, 0);
  EXPECT_EQ(poll(&descriptor, 1, 1000), 1);
}

int64_t ClockNs() {
  return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

TEST(Shard, MeasuresHowLongEachFrameWaited) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t start = ClockNs();
  FrameList frames;
  for (int i = 0; i < 100; ++i) frames.Add(Udp("10.0.0.1", 1000), start - 100 * kSecond);
  frames.Add(Udp("10.0.0.1", 1000), start - kSecond);
  ShardOptions options;
  options.measure_delay = true;
  auto shard = MakeShard(frames, options);
  Drain(*shard);
  const int64_t took = ClockNs() - start;
  ASSERT_NE(shard->delays(), nullptr);
  EXPECT_EQ(shard->delays()->count(), 101u);
  EXPECT_GE(shard->delays()->Quantile(0), kSecond);
  EXPECT_LE(shard->delays()->Quantile(0), (kSecond + took) * 17 / 16);
  EXPECT_GE(shard->delays()->Quantile(0.5), 100 * kSecond);
  EXPECT_LE(shard->delays()->Quantile(0.5), (100 * kSecond + took) * 17 / 16);
}

TEST(Shard, MeasuresNoDelaysUnlessAsked) {
  FrameList frames;
  frames.Add(Udp("10.0.0.1", 1000), 1'000);
  auto shard = MakeShard(frames);
  Drain(*shard);
  EXPECT_EQ(shard->delays(), nullptr);
}

}  // namespace
}  // namespace weir

// Fragments through a whole shard: what they are in the records and in the ledger.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "engine/flow/flow_tracker.h"
#include "engine/shard.h"
#include "rings/memory_source.h"
#include "tests/support/packet_builder.h"

namespace weir {
namespace {

using test::AsFrame;
using test::Bytes;
using test::PacketBuilder;

// A UDP datagram of 300 bytes in three fragments, each in a frame of its own.
std::vector<Bytes> Fragments(const PacketBuilder& link) {
  const Bytes datagram =
      PacketBuilder().Ipv4("10.0.0.1", "10.0.0.2").Udp(1000, 2000).Payload(292).Build();
  std::vector<Bytes> frames;
  for (uint32_t at = 0; at < 300; at += 104) {
    const uint32_t end = std::min(300u, at + 104);
    frames.push_back(PacketBuilder(link)
                         .Ipv4("10.0.0.1", "10.0.0.2")
                         .Ipv4Fragment(7, at, end < 300)
                         .Payload(Bytes(datagram.begin() + 20 + at, datagram.begin() + 20 + end))
                         .Build());
  }
  return frames;
}

struct Outcome {
  std::vector<FlowRecord> records;
  Ledger ledger;
};

Outcome RunShard(const std::vector<Bytes>& bytes) {
  std::vector<Frame> frames;
  for (const Bytes& one : bytes) {
    frames.push_back(AsFrame(one, link_type::kEthernet, 1'000'000'000));
  }
  std::vector<std::unique_ptr<FrameSource>> sources;
  sources.push_back(*MemorySource::FromFrames(frames));
  auto shard = *Shard::Create({}, std::move(sources));
  Outcome outcome;
  while (!shard->done()) {
    for (const Event& event : shard->Poll()) {
      if (event.kind == EventKind::kFlowEnded) outcome.records.push_back(*event.record);
    }
  }
  outcome.ledger = shard->ledger();
  EXPECT_EQ(outcome.ledger.ledger_errors, 0u);
  return outcome;
}

TEST(ShardFragments, AllCountInTheFlowOfTheirDatagram) {
  for (const PacketBuilder& link : {PacketBuilder().Ethernet(), PacketBuilder().Ethernet().Vlan(5),
                                    PacketBuilder().Ethernet().Ipv4("192.0.2.1", "192.0.2.2").Gre(),
                                    PacketBuilder()
                                        .Ethernet()
                                        .Vlan(5)
                                        .Ipv4("192.0.2.1", "192.0.2.2")
                                        .Udp(1, 4789)
                                        .Vxlan(6)
                                        .Ethernet()}) {
    const std::vector<Bytes> frames = Fragments(link);
    uint64_t bytes = 0;
    for (const Bytes& frame : frames) bytes += frame.size();
    const auto [records, ledger] = RunShard(frames);
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].packets[0], 3u);
    EXPECT_EQ(records[0].bytes[0], bytes);
    EXPECT_EQ(ledger.tracked, 3u);
    EXPECT_EQ(ledger.tracked_bytes, bytes);
    EXPECT_EQ(ledger.fragment_held, 0u);
  }
}

TEST(ShardFragments, ThoseOfAnIncompleteDatagramAreNamedAtTheEnd) {
  std::vector<Bytes> frames = Fragments(PacketBuilder().Ethernet());
  frames.erase(frames.begin() + 1);
  const auto [records, ledger] = RunShard(frames);
  EXPECT_TRUE(records.empty());
  EXPECT_EQ(ledger.tracked, 0u);
  EXPECT_EQ(ledger.fragment_held, 0u);
  EXPECT_EQ(ledger.fragment_dropped[static_cast<size_t>(FragmentDrop::kEnd)], 2u);
}

}  // namespace
}  // namespace weir

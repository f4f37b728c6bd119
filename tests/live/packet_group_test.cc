// How the modes of a fanout group distribute frames.
#include <set>

#include "tests/live/packet_group_fixture.h"

namespace weir::test {
namespace {

constexpr FanoutMode kModes[] = {FanoutMode::kHash,    FanoutMode::kCpu,    FanoutMode::kQueue,
                                 FanoutMode::kBalance, FanoutMode::kRandom, FanoutMode::kRollover,
                                 FanoutMode::kEbpf};

class EveryModeTest : public PacketGroupTest, public testing::WithParamInterface<FanoutMode> {};

INSTANTIATE_TEST_SUITE_P(Modes, EveryModeTest, testing::ValuesIn(kModes),
                         [](const auto& test) { return std::string(FanoutModeName(test.param)); });

TEST_P(EveryModeTest, EveryFrameIsReceivedOnceAcrossTheGroup) {
  constexpr uint32_t kFrames = 400;
  MustOpen({.mode = GetParam()});
  for (uint32_t i = 0; i < kFrames; ++i) {
    RawSender& sender = i % 2 == 0 ? *near_ : *far_;
    sender.Send(Marked(Flow(i / 4, i % 4 >= 2), i));
  }
  const Arrivals arrivals = ReceiveAll();
  ExpectOnce(arrivals, 0, kFrames);
  EXPECT_EQ(arrivals.size(), kFrames);
  const SourceCounters sum = Sum(group_);
  EXPECT_EQ(sum.received, kFrames);
  EXPECT_EQ(sum.ring_dropped, 0u);
}

// tp_packets has tp_drops in it: counted twice, the sum would be too large.
TEST_P(EveryModeTest, DropsAreCountedOnceAcrossTheGroup) {
  constexpr uint32_t kFrames = 3000;
  options_.ring.ring_bytes = 256 << 10;
  MustOpen({.mode = GetParam()});
  for (uint32_t i = 0; i < kFrames; ++i) {
    near_->Send(Flow(i % 100, false).Payload(1000).Build());
  }
  const size_t received = ReceiveAll().size();
  const SourceCounters sum = Sum(group_);
  EXPECT_GT(*sum.ring_dropped, 0u);
  EXPECT_EQ(sum.received, received);
  EXPECT_EQ(received + *sum.ring_dropped, kFrames);
}

TEST_P(EveryModeTest, AGroupOfOneReceivesEverything) {
  MustOpen({.mode = GetParam()}, 1);
  for (uint32_t i = 0; i < 50; ++i) near_->Send(Marked(Flow(i, false), i));
  ExpectOnce(ReceiveAll(), 0, 50);
}

class WholeFlowsTest : public PacketGroupTest, public testing::WithParamInterface<FanoutMode> {};

INSTANTIATE_TEST_SUITE_P(Modes, WholeFlowsTest,
                         testing::Values(FanoutMode::kHash, FanoutMode::kEbpf),
                         [](const auto& test) { return std::string(FanoutModeName(test.param)); });

TEST_P(WholeFlowsTest, BothDirectionsAreInOneSource) {
  constexpr uint32_t kFlows = 100;
  MustOpen({.mode = GetParam()});
  for (uint32_t flow = 0; flow < kFlows; ++flow) {
    near_->Send(Marked(Flow(flow, false), flow));
    near_->Send(Marked(Flow(flow, true), flow));
    far_->Send(Marked(Flow(flow, false), flow));
    far_->Send(Marked(Flow(flow, true), flow));
  }
  const Arrivals arrivals = ReceiveAll();
  std::set<int> used;
  for (uint32_t flow = 0; flow < kFlows; ++flow) {
    ASSERT_EQ(arrivals.count(flow), 4u);
    const int source = arrivals.find(flow)->second;
    for (auto [at, end] = arrivals.equal_range(flow); at != end; ++at) {
      EXPECT_EQ(at->second, source) << "flow " << flow;
    }
    used.insert(source);
  }
  EXPECT_EQ(used.size(), 4u);
}

class EbpfFanoutTest : public PacketGroupTest {
 protected:
  // Sends both and expects them in one source.
  void ExpectTogether(const std::string& what, const PacketBuilder& one,
                      const PacketBuilder& other) {
    near_->Send(Marked(one, next_));
    near_->Send(Marked(other, next_));
    far_->Send(Marked(other, next_));
    expected_.emplace_back(next_++, what);
  }
  void Check() {
    const Arrivals arrivals = ReceiveAll();
    for (const auto& [mark, what] : expected_) {
      ASSERT_EQ(arrivals.count(mark), 3u) << what;
      const int source = arrivals.find(mark)->second;
      for (auto [at, end] = arrivals.equal_range(mark); at != end; ++at) {
        EXPECT_EQ(at->second, source) << what;
      }
    }
  }
  static std::string Client(uint32_t i) { return "10.1.0." + std::to_string(i + 1); }

  static constexpr uint32_t kFlows = 8;  // by chance alone all meet once in 4^8 runs
  uint32_t next_ = 0;
  std::vector<std::pair<uint32_t, std::string>> expected_;
};

TEST_F(EbpfFanoutTest, FragmentsAreWithTheirFlow) {
  MustOpen({.mode = FanoutMode::kEbpf});
  for (uint32_t i = 0; i < kFlows; ++i) {
    const auto ip = [&] { return PacketBuilder().Ethernet().Ipv4(Client(i), "10.2.0.1"); };
    ExpectTogether("fragment", ip().Udp(1000, 53), ip().Ipv4Fragment(7, 1480, false));
  }
  Check();
}

TEST_F(EbpfFanoutTest, IcmpErrorsAreWithTheFlowTheyAreAbout) {
  MustOpen({.mode = FanoutMode::kEbpf});
  for (uint32_t i = 0; i < kFlows; ++i) {
    const PacketBuilder flow = PacketBuilder().Ethernet().Ipv4(Client(i), "10.2.0.1").Udp(1000, 53);
    const Bytes frame = flow.Build();
    ExpectTogether("ICMP error", flow,
                   PacketBuilder()
                       .Ethernet()
                       .Ipv4("10.3.0.1", Client(i))
                       .Icmp(11, 0)
                       .Payload(Bytes(frame.begin() + 14, frame.end())));
  }
  Check();
}

// The kernel takes the outer tag out of the bytes.
TEST_F(EbpfFanoutTest, TagsMakeNoDifference) {
  MustOpen({.mode = FanoutMode::kEbpf});
  for (uint32_t i = 0; i < kFlows; ++i) {
    const auto flow = [&](PacketBuilder link) {
      return link.Ipv4(Client(i), "10.2.0.1").Udp(1000, 53);
    };
    const PacketBuilder plain = flow(PacketBuilder().Ethernet());
    ExpectTogether("one tag", plain, flow(PacketBuilder().Ethernet().Vlan(7)));
    ExpectTogether("QinQ", plain, flow(PacketBuilder().Ethernet().Vlan(7, 0x88a8).Vlan(8)));
    ExpectTogether("three tags", plain, flow(PacketBuilder().Ethernet().Vlan(7).Vlan(8).Vlan(9)));
  }
  Check();
}

TEST_F(EbpfFanoutTest, AFlowInATunnelIsWithItselfOutside) {
  MustOpen({.mode = FanoutMode::kEbpf});
  for (uint32_t i = 0; i < kFlows; ++i) {
    const auto flow = [&](PacketBuilder around) {
      return around.Ipv4(Client(i), "10.2.0.1").Tcp(1000, 53);
    };
    const auto outer = [] { return PacketBuilder().Ethernet().Ipv4("10.9.0.1", "10.9.0.2"); };
    const PacketBuilder plain = flow(PacketBuilder().Ethernet());
    ExpectTogether("VXLAN", plain, flow(outer().Udp(5000, 4789).Vxlan(3).Ethernet()));
    ExpectTogether("GRE", plain, flow(outer().Gre()));
    ExpectTogether("GTP-U", plain, flow(outer().Udp(2152, 2152).GtpU(3)));
  }
  Check();
}

TEST_F(PacketGroupTest, WithTheRolloverFlagOtherRingsTakeWhatOneCannot) {
  constexpr uint32_t kFrames = 600;
  options_.ring.ring_bytes = 256 << 10;
  size_t received[2], used[2];
  for (const bool rollover : {false, true}) {
    MustOpen({.mode = FanoutMode::kHash, .rollover = rollover});
    for (uint32_t i = 0; i < kFrames; ++i) near_->Send(Marked(Flow(1, false).Payload(1000), i));
    const Arrivals arrivals = ReceiveAllOf(kFrames);
    std::set<int> sources;
    for (const auto& [mark, source] : arrivals) sources.insert(source);
    received[rollover] = arrivals.size();
    used[rollover] = sources.size();
    EXPECT_EQ(arrivals.size() + *Sum(group_).ring_dropped, kFrames);
  }
  EXPECT_EQ(used[false], 1u);
  EXPECT_GT(used[true], 1u);
  EXPECT_GT(received[true], received[false]);
}

TEST_F(PacketGroupTest, WithDefragmentationTheKernelDeliversWholeDatagrams) {
  const auto send = [&](uint16_t id) {
    for (uint32_t offset : {0u, 1480u, 2960u}) {
      const bool more = offset != 2960;
      near_->Send(PacketBuilder()
                      .Ethernet()
                      .Ipv4("10.1.0.1", "10.2.0.1")
                      .Ipv4Fragment(id, offset, more)
                      .Payload(more ? 1480 : 100)
                      .Build());
    }
  };
  const size_t fragments_of[] = {3, 1};
  for (const bool defragment : {false, true}) {
    for (const int count : {1, 4}) {
      MustOpen({.mode = FanoutMode::kHash, .defragment = defragment}, count);
      send(static_cast<uint16_t>(count));
      EXPECT_EQ(ReceiveAll().size(), fragments_of[defragment]) << count << " sources";
    }
  }
}

}  // namespace
}  // namespace weir::test

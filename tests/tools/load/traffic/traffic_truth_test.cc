// What the model says of its traffic is what a real shard finds.
#include "gtest/gtest.h"
#include "tests/tools/load/traffic/engine_run.h"

namespace weir::load {
namespace {

TrafficProfile Few() { return {.seed = 5, .packets = 20'000, .flows = 50}; }

FlowTruth Sum(const Truth& truth) {
  FlowTruth sum;
  for (const FlowTruth& flow : truth.flows) {
    for (int side = 0; side < 2; ++side) {
      sum.stream_bytes[side] += flow.stream_bytes[side];
      sum.missing_bytes[side] += flow.missing_bytes[side];
      sum.packets[side] += flow.packets[side];
    }
  }
  return sum;
}

TEST(TrafficTruthTest, PlainConnections) {
  const Truth truth = RunAndExpectTruth(Few());
  EXPECT_EQ(truth.flows.size(), 50u);
  EXPECT_EQ(Sum(truth).missing_bytes[1], 0u);
  EXPECT_GT(Sum(truth).stream_bytes[1], Sum(truth).stream_bytes[0]);
}

TEST(TrafficTruthTest, ConnectionsJoinedInTheMiddle) {
  TrafficProfile profile = Few();
  profile.handshake = false;
  RunAndExpectTruth(profile);
  profile.flow_packets = 30;
  EXPECT_GT(RunAndExpectTruth(profile).flows.size(), 500u);
}

TEST(TrafficTruthTest, ConnectionsThatClose) {
  TrafficProfile profile = Few();
  profile.flow_packets = 20;
  profile.reset = 0.3;
  const Truth truth = RunAndExpectTruth(profile);
  int fates[3] = {};
  for (const FlowTruth& flow : truth.flows) ++fates[static_cast<int>(flow.fate)];
  EXPECT_LE(fates[0], 50);
  EXPECT_GT(fates[1], 500);
  EXPECT_GT(fates[2], 200);
}

TEST(TrafficTruthTest, Datagrams) {
  TrafficProfile profile = Few();
  profile.udp = 0.6;
  profile.icmp = 0.4;
  profile.flow_packets = 20;
  EXPECT_GT(RunAndExpectTruth(profile).flows.size(), 500u);
}

TEST(TrafficTruthTest, Ipv6) {
  TrafficProfile profile = Few();
  profile.ipv6 = 0.7;
  profile.udp = 0.3;
  profile.icmp = 0.2;
  RunAndExpectTruth(profile);
}

TEST(TrafficTruthTest, DisplacedSegments) {
  TrafficProfile profile = Few();
  profile.reorder = 0.1;
  const Truth truth = RunAndExpectTruth(profile);
  EXPECT_GT(truth.displaced, 500u);
  EXPECT_EQ(Sum(truth).missing_bytes[0] + Sum(truth).missing_bytes[1], 0u)
      << "in the end they have come";
}

TEST(TrafficTruthTest, DisplacedSegmentsOfConnectionsThatClose) {
  TrafficProfile profile = Few();
  profile.reorder = 0.3;
  profile.reorder_distance = 30;
  profile.flow_packets = 40;
  profile.reset = 0.5;
  EXPECT_GT(RunAndExpectTruth(profile).displaced, 500u);
}

TEST(TrafficTruthTest, DisplacedSegmentsOfConnectionsJoinedInTheMiddle) {
  TrafficProfile profile = Few();
  profile.handshake = false;
  profile.reorder = 0.3;
  profile.flow_packets = 40;
  EXPECT_GT(RunAndExpectTruth(profile).displaced, 500u);
}

TEST(TrafficTruthTest, Duplicates) {
  TrafficProfile profile = Few();
  profile.duplicate = 0.2;
  profile.flow_packets = 20;
  profile.reset = 0.3;
  profile.udp = 0.3;
  profile.icmp = 0.2;
  EXPECT_GT(RunAndExpectTruth(profile).duplicates, 3'000u);
}

// Repeated acknowledgements differ by their IP identification, copies do not.
TEST(TrafficTruthTest, DedupFindsTheDuplicatesAndNothingElse) {
  TrafficProfile profile = Few();
  profile.duplicate = 0.2;
  profile.reorder = 0.1;
  profile.udp = 0.3;
  profile.icmp = 0.2;
  auto model = *TrafficModel::Create(profile);
  ShardOptions options;
  options.dedup.mode = DedupMode::kContent;
  EngineRun run(*model, options);
  EXPECT_GT(model->truth().duplicates, 3'000u);
  EXPECT_EQ(run.shard().ledger().duplicate, model->truth().duplicates);
}

TEST(TrafficTruthTest, LostSegments) {
  TrafficProfile profile = Few();
  profile.loss = 0.1;
  profile.flow_packets = 40;
  profile.reset = 0.3;
  const Truth truth = RunAndExpectTruth(profile);
  EXPECT_GT(truth.lost, 500u);
  EXPECT_GT(Sum(truth).missing_bytes[1], 100'000u);
}

TEST(TrafficTruthTest, OverlappingSegments) {
  TrafficProfile profile = Few();
  profile.overlap = 0.2;
  EXPECT_GT(RunAndExpectTruth(profile).overlaps, 1'000u);
}

TEST(TrafficTruthTest, Fragments) {
  TrafficProfile profile = Few();
  profile.fragment = 0.2;
  profile.ipv6 = 0.5;
  profile.udp = 0.4;
  profile.icmp = 0.2;
  EXPECT_GT(RunAndExpectTruth(profile).fragmented, 1'000u);
}

TEST(TrafficTruthTest, TagsAndTunnels) {
  TrafficProfile profile = Few();
  profile.vlans = {1, 2, 4094};
  profile.tunnels = {TunnelKind::kNone, TunnelKind::kVxlan, TunnelKind::kGre, TunnelKind::kIpInIp};
  profile.ipv6 = 0.5;
  profile.udp = 0.4;
  profile.icmp = 0.2;
  RunAndExpectTruth(profile);
}

TEST(TrafficTruthTest, Floods) {
  TrafficProfile profile = Few();
  profile.syn_flood = 0.1;
  profile.fragment_flood = 0.1;
  profile.collision_flood = 0.1;
  const Truth truth = RunAndExpectTruth(profile);
  EXPECT_GT(truth.syn_flood, 1'500u);
  EXPECT_GT(truth.collision_flood, 1'500u);
  EXPECT_GT(truth.unfinished_fragments, 1'500u);
}

TEST(TrafficTruthTest, Probes) {
  TrafficProfile profile = Few();
  profile.probe_every = 100;
  profile.duplicate = 0.5;
  EXPECT_EQ(RunAndExpectTruth(profile).probes, 200u);
}

class AllTogetherTest : public ::testing::TestWithParam<uint64_t> {};  // seeds

TEST_P(AllTogetherTest, TheTruthIsFound) {
  const TrafficProfile profile = {
      .seed = GetParam(),
      .packets = 50'000,
      .flows = 300,
      .popularity = Popularity::kZipf,
      .flow_packets = 60,
      .udp = 0.2,
      .icmp = 0.1,
      .ipv6 = 0.3,
      .vlans = {5, 6, 7},
      .tunnels = {TunnelKind::kNone, TunnelKind::kVxlan, TunnelKind::kGre, TunnelKind::kIpInIp},
      .from_server = 0.6,
      .reset = 0.3,
      .reorder = 0.05,
      .duplicate = 0.05,
      .loss = 0.05,
      .overlap = 0.05,
      .fragment = 0.05,
      .syn_flood = 0.03,
      .fragment_flood = 0.01,
      .collision_flood = 0.03,
      .probe_every = 1'000};
  const Truth truth = RunAndExpectTruth(profile);
  EXPECT_GT(truth.displaced, 500u);
  EXPECT_GT(truth.overlaps, 500u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AllTogetherTest, ::testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace weir::load

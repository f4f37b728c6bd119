#include "tools/load/traffic/traffic_model.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/packet/bytes.h"
#include "engine/packet/packet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/load/traffic/payload.h"

namespace weir::load {
namespace {

using ::testing::HasSubstr;

struct Digest {
  uint64_t frames = 0;
  uint64_t hash = 14'695'981'039'346'656'037u;  // FNV-1a, 64 bits
  void Add(const Frame& frame) {
    ++frames;
    for (uint32_t i = 0; i < frame.captured_length; ++i) Add(frame.data[i]);
    for (int i = 0; i < 8; ++i) Add(static_cast<uint8_t>(frame.timestamp_ns >> 8 * i));
  }
  void Add(uint8_t byte) { hash = (hash ^ byte) * 1'099'511'628'211u; }
  bool operator==(const Digest&) const = default;
};

Digest DigestOf(const TrafficProfile& profile, size_t count = 64) {
  auto model = *TrafficModel::Create(profile);
  Digest digest;
  for (;;) {
    const std::span<const Frame> frames = model->Next(count);
    EXPECT_LE(frames.size(), count);
    if (frames.empty()) return digest;
    for (const Frame& frame : frames) digest.Add(frame);
  }
}

TrafficProfile Rich() {
  return {.seed = 42,
          .packets = 20'000,
          .flows = 200,
          .popularity = Popularity::kZipf,
          .zipf_exponent = 1.1,
          .flow_packets = 40,
          .udp = 0.2,
          .icmp = 0.1,
          .ipv6 = 0.3,
          .vlans = {5, 6},
          .tunnels = {TunnelKind::kNone, TunnelKind::kVxlan, TunnelKind::kGre, TunnelKind::kIpInIp},
          .reset = 0.2,
          .reorder = 0.05,
          .duplicate = 0.05,
          .loss = 0.05,
          .overlap = 0.05,
          .fragment = 0.05,
          .syn_flood = 0.02,
          .fragment_flood = 0.02,
          .collision_flood = 0.02,
          .probe_every = 500};
}

// Two machines that agree on a profile agree on every byte. Other frames for the same profile are
// another version of the model: who changes this says so in the release's notes.
TEST(TrafficModelTest, TheFramesOfARichProfileArePinned) {
  EXPECT_EQ(DigestOf(Rich()).frames, 20'000u);
  EXPECT_EQ(DigestOf(Rich()).hash, 8'803'268'661'430'389'187u);
}

TEST(TrafficModelTest, FramesDoNotDependOnHowManyAreAskedFor) {
  const Digest all = DigestOf(Rich());
  EXPECT_EQ(DigestOf(Rich(), TrafficModel::kLeastCount), all);
  EXPECT_EQ(DigestOf(Rich(), 1'000), all);
}

TEST(TrafficModelTest, ASeedMakesOtherFrames) {
  TrafficProfile other = Rich();
  ++other.seed;
  EXPECT_NE(DigestOf(other).hash, DigestOf(Rich()).hash);
}

TEST(TrafficModelTest, TruthTellsOfTheFramesHandedOut) {
  auto model = *TrafficModel::Create(Rich());
  uint64_t frames = 0, bytes = 0;
  for (int i = 0; i < 50; ++i) {
    for (const Frame& frame : model->Next(64)) {
      ++frames;
      bytes += frame.wire_length;
    }
    ASSERT_EQ(model->truth().frames, frames);
    ASSERT_EQ(model->truth().wire_bytes, bytes);
  }
}

TEST(TrafficModelTest, FramesAreAsLongAsAskedFor) {
  for (const uint32_t size : {64u, 576u, 1514u}) {
    TrafficProfile profile = {.packets = 2'000,
                              .flows = 10,
                              .udp = 0.5,
                              .tunnels = {TunnelKind::kNone, TunnelKind::kGre},
                              .handshake = false,
                              .ack_every = 0,
                              .sizes = {{size, 1}},
                              .size_unit = SizeUnit::kFrame};
    if (size == 64) profile.tunnels.clear();
    auto model = *TrafficModel::Create(profile);
    EXPECT_EQ(model->most_frame_bytes(), std::max(size, 66u));
    for (;;) {
      const auto frames = model->Next(64);
      if (frames.empty()) break;
      for (const Frame& frame : frames) ASSERT_EQ(frame.wire_length, size);
    }
  }
}

// What a profile of one kind of segment makes: 54 bytes of headers, acknowledgements that stand,
// sequence numbers that go on.
TEST(TrafficModelTest, SegmentsOfTheInitiatorOnly) {
  auto model = *TrafficModel::Create({.packets = 5'000,
                                      .flows = 10,
                                      .handshake = false,
                                      .from_server = 0,
                                      .ack_every = 0,
                                      .sizes = {{64, 7}, {576, 4}, {1448, 1}}});
  std::map<uint32_t, std::pair<uint32_t, uint32_t>> expected;  // sequence, acknowledgement
  for (;;) {
    const auto frames = model->Next(64);
    if (frames.empty()) break;
    for (const Frame& frame : frames) {
      const uint8_t* tcp = frame.data + 34;
      const uint32_t sequence = Load32(tcp + 4), payload = frame.wire_length - 54;
      const auto [flow, first] =
          expected.try_emplace(Load32(frame.data + 8), sequence, Load32(tcp + 8));
      ASSERT_TRUE(payload == 64 || payload == 576 || payload == 1448);
      ASSERT_EQ(frame.data[26], 10) << "from the initiator";
      ASSERT_EQ(tcp[13], tcp_flag::kAck);
      ASSERT_EQ(sequence, flow->second.first);
      ASSERT_EQ(Load32(tcp + 8), flow->second.second);
      flow->second.first += payload;
    }
  }
  EXPECT_EQ(expected.size(), 10u);
}

TEST(TrafficModelTest, NoFrameIsLongerThanTold) {
  auto model = *TrafficModel::Create(Rich());
  uint32_t longest = 0;
  for (;;) {
    const auto frames = model->Next(64);
    if (frames.empty()) break;
    for (const Frame& frame : frames) {
      longest = std::max(longest, frame.wire_length);
      ASSERT_GE(frame.wire_length, 60u);
    }
  }
  EXPECT_EQ(longest, model->most_frame_bytes());
}

TEST(TrafficModelTest, PopularFlowsHaveTheirShare) {
  TrafficProfile profile = {.packets = 200'000, .flows = 1'000, .handshake = false};
  profile.popularity = Popularity::kZipf;
  auto model = *TrafficModel::Create(profile);
  while (!model->Next(64).empty()) continue;
  std::vector<uint32_t> packets;
  for (const FlowTruth& flow : model->truth().flows) {
    packets.push_back(flow.packets[0] + flow.packets[1]);
  }
  std::sort(packets.begin(), packets.end(), std::greater<>());
  const double first = 200'000 / 7.485;  // the 1,000th harmonic number
  EXPECT_NEAR(packets[0], first, first / 20);
  EXPECT_NEAR(packets[1], first / 2, first / 20);
  EXPECT_NEAR(packets[9], first / 10, first / 50);
}

TEST(TrafficModelTest, FlowsTakeTurns) {
  TrafficProfile profile = {.packets = 10'000, .flows = 100};
  profile.popularity = Popularity::kRoundRobin;
  auto model = *TrafficModel::Create(profile);
  while (!model->Next(64).empty()) continue;
  for (const FlowTruth& flow : model->truth().flows) {
    EXPECT_EQ(flow.packets[0] + flow.packets[1], 100u);
  }
}

struct Refusal {
  TrafficProfile profile;
  std::string message;
};

TEST(TrafficModelTest, ContradictionsAreRefused) {
  const Refusal refusals[] = {
      {{.flows = 0}, "flows is 0: from 1"},
      {{.flow_packets = 3}, "flow_packets is 3: at least"},
      {{.packets = 1ull << 40, .flow_packets = 20}, "more flows than have numbers"},
      {{.udp = 0.7, .icmp = 0.4}, "udp and icmp"},
      {{.reorder = 1.5}, "reorder is 1.5: a share"},
      {{.loss = -0.1}, "loss is -0.1: a share"},
      {{.syn_flood = 0.6, .collision_flood = 0.6}, "floods are more"},
      {{.vlans = {5'000}}, "VLAN id 5000"},
      {{.reorder = 0.1, .reorder_distance = 0}, "reorder_distance is 0"},
      {{.sizes = {}}, "weights of sizes"},
      {{.sizes = {{70'000, 1}}}, "a size of 70000"},
      {{.sizes = {{65'530, 1}}}, "make the sizes smaller"},
      {{.gap_ns = -1}, "gap_ns"},
  };
  for (const Refusal& refusal : refusals) {
    const auto model = TrafficModel::Create(refusal.profile);
    EXPECT_THAT(std::string(model.status().message()), HasSubstr(refusal.message));
  }
}

}  // namespace
}  // namespace weir::load

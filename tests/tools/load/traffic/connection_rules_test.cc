// The model's connections keep TCP's rules, read off their frames by somebody who believes nothing.
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>

#include "engine/packet/bytes.h"
#include "engine/packet/decoder.h"
#include "gtest/gtest.h"
#include "tools/load/traffic/flow_identity.h"
#include "tools/load/traffic/traffic_model.h"

namespace weir::load {
namespace {

constexpr int kWindowScale = 7;

// One side of a connection, and what has come from it.
struct Side {
  uint32_t initial = 0;
  bool syn = false;
  uint32_t next = 0;                   // what the other side expects
  std::map<uint32_t, uint32_t> early;  // relative to `initial`: first byte, end
  uint32_t acknowledged = 0;           // by the other side, relative
  uint32_t window = 0;                 // of the other side
  uint32_t segments = 0;               // since the other side's last packet

  void Take(uint32_t first, uint32_t end) {
    uint32_t& last = early[first];
    last = std::max(last, end);
    while (!early.empty() && early.begin()->first <= next) {
      next = std::max(next, early.begin()->second);
      early.erase(early.begin());
    }
  }
};

class Rules {
 public:
  // `most_segments`: that may be on their way from one side.
  explicit Rules(uint32_t most_segments) : most_segments_(most_segments) {}

  void Check(const Packet& packet, uint32_t flow, int direction) {
    std::array<Side, 2>& sides = connections_[flow];
    Side& own = sides[direction];
    Side& other = sides[1 - direction];
    const bool syn = (packet.tcp_flags & tcp_flag::kSyn) != 0;
    const bool fin = (packet.tcp_flags & tcp_flag::kFin) != 0;
    if (syn) {
      own.initial = packet.tcp_seq;
      own.syn = true;
      own.next = 1;
    }
    ASSERT_TRUE(own.syn) << "a side begins with a SYN";
    if ((packet.tcp_flags & tcp_flag::kAck) != 0) {
      ASSERT_TRUE(other.syn);
      ASSERT_EQ(packet.tcp_ack - other.initial, other.next) << "it acknowledges what it has";
      other.acknowledged = other.next;
      other.window = uint32_t{packet.tcp_window} << (syn ? 0 : kWindowScale);
      other.segments = 0;
    }
    const uint32_t first = packet.tcp_seq - own.initial;
    const uint32_t end = first + packet.payload_length + (fin ? 1 : 0);
    if (packet.payload_length != 0) {
      ASSERT_LE(end, own.acknowledged + own.window) << "within the window";
      ASSERT_LE(++own.segments, most_segments_) << "nobody waits for an acknowledgement";
    }
    if (!syn) own.Take(first, end);
  }

  size_t connections() const { return connections_.size(); }

 private:
  const uint32_t most_segments_;
  std::map<uint32_t, std::array<Side, 2>> connections_;
};

void ExpectRules(TrafficProfile profile) {
  profile.packets = 30'000;
  profile.flows = 30;
  auto model = *TrafficModel::Create(profile);
  // Those that come late, or twice, do so before an acknowledgement that is due.
  const bool in_order = profile.reorder == 0 && profile.duplicate == 0;
  Rules rules(in_order ? profile.ack_every : UINT32_MAX);
  const Decoder decoder;
  for (;;) {
    const std::span<const Frame> frames = model->Next(64);
    if (frames.empty()) break;
    for (const Frame& frame : frames) {
      Packet packet;
      TunnelPath path;
      decoder.Decode(frame, packet, path);
      const uint32_t flow = Load32(frame.data + 8);
      const int direction = packet.source_port == IdentityOf(profile, flow).ports[0] ? 0 : 1;
      rules.Check(packet, flow, direction);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
  EXPECT_EQ(rules.connections(), model->truth().flows.size());
}

TEST(ConnectionRulesTest, PlainConnections) { ExpectRules({}); }

TEST(ConnectionRulesTest, FewAcknowledgements) {
  ExpectRules({.ack_every = 500, .sizes = {{8'000, 1}}});
}

TEST(ConnectionRulesTest, DisplacedAndRepeatedSegmentsOfConnectionsThatClose) {
  ExpectRules({.flow_packets = 200,
               .reset = 0.3,
               .reorder = 0.2,
               .reorder_distance = 50,
               .duplicate = 0.1,
               .overlap = 0.1});
}

TEST(ConnectionRulesTest, ABufferThatFillsUpBehindADisplacedSegment) {
  ExpectRules({.ack_every = 1, .sizes = {{9'000, 1}}, .reorder = 0.01, .reorder_distance = 2'000});
}

}  // namespace
}  // namespace weir::load

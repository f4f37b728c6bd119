// Three ways through the tracker keep the same records: with nothing that the decoder says of a
// packet's plainness, with it, and with it in batches whose packets are events.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "tests/support/flow_feeder.h"

namespace weir {
namespace {

using test::FlowFeeder;
using test::kMillisecond;
using test::kSecond;
using test::MakeSender;
using test::MakeSender6;
using test::Sender;

void ExpectSame(const FlowFeeder::Kept& left, const FlowFeeder::Kept& right) {
  const FlowRecord& l = left.record;
  const FlowRecord& r = right.record;
  EXPECT_EQ(left.kind, right.kind);
  EXPECT_EQ(l.key.source_port, r.key.source_port);
  EXPECT_EQ(l.key.destination_port, r.key.destination_port);
  EXPECT_EQ(l.handle, r.handle);
  EXPECT_EQ(l.packets, r.packets);
  EXPECT_EQ(l.bytes, r.bytes);
  EXPECT_EQ(l.start_ns, r.start_ns);
  EXPECT_EQ(l.end_ns, r.end_ns);
  EXPECT_EQ(l.tcp_flags, r.tcp_flags);
  EXPECT_EQ(l.label, r.label);
  EXPECT_EQ(l.state, r.state);
  EXPECT_EQ(l.end, r.end);
  EXPECT_EQ(l.answered, r.answered);
  EXPECT_EQ(l.midstream, r.midstream);
  EXPECT_STREQ(l.history.data(), r.history.data());
}

// What the decoder says of such a packet in a straight run of headers.
uint8_t PlainBits(const Packet& packet) {
  if (packet.verdict != Verdict::kTracked) return 0;
  constexpr uint8_t kControl = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst;
  const bool udp = packet.protocol == ip_protocol::kUdp;
  const bool known = (packet.flags & packet_flag::kTcpFields) != 0;
  const bool usual = udp || (known && packet.tcp_flags != 0 && (packet.tcp_flags & kControl) == 0);
  const bool counted_alone = packet.label == 0 && packet.held_packets == 0;
  const bool straight = packet.family == AddressFamily::kIpv4 && (udp || known);
  return static_cast<uint8_t>((usual && counted_alone ? plain_bit::kUsual : 0) |
                              (straight ? plain_bit::kStraight : 0));
}

// All ways, fed alike.
class SteadyTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kWatched = event_mask::kFlows | event_mask::kPackets;

  void Open(FlowOptions options) {
    options.seed = 7;
    unmarked_ = std::make_unique<FlowFeeder>(options);
    plain_ = std::make_unique<FlowFeeder>(options);
    watched_ = std::make_unique<FlowFeeder>(options, kWatched);
  }

  void Track(const std::vector<Packet>& packets) {
    for (FlowFeeder* feeder : {unmarked_.get(), plain_.get(), watched_.get()}) {
      std::vector<Packet> copies = packets;
      for (Packet& packet : copies) {
        packet.plain = feeder == unmarked_.get() ? uint8_t{0} : PlainBits(packet);
      }
      feeder->TrackBatch(copies);
    }
  }

  void FinishAndCompare() {
    for (FlowFeeder* feeder : {unmarked_.get(), plain_.get(), watched_.get()}) feeder->Flush();
    Compare(*unmarked_, *plain_);
    Compare(*unmarked_, *watched_);
  }

  static void Compare(FlowFeeder& left, FlowFeeder& right) {
    ASSERT_EQ(left.kept().size(), right.kept().size());
    for (size_t i = 0; i < left.kept().size() && !HasFailure(); ++i) {
      ExpectSame(left.kept()[i], right.kept()[i]);
    }
    const FlowCounters& l = left.counters();
    const FlowCounters& r = right.counters();
    EXPECT_EQ(l.ended, r.ended);
    EXPECT_EQ(l.ended_packets, r.ended_packets);
    EXPECT_EQ(l.ended_bytes, r.ended_bytes);
    EXPECT_EQ(l.established, r.established);
    EXPECT_EQ(l.resets_ignored, r.resets_ignored);
    EXPECT_EQ(l.resets_doubted, r.resets_doubted);
    EXPECT_EQ(l.ports_reused, r.ports_reused);
    EXPECT_EQ(left.tracker().time_regressions(), right.tracker().time_regressions());
    EXPECT_EQ(left.tracker().time_ns(), right.tracker().time_ns());
  }

  std::unique_ptr<FlowFeeder> unmarked_;
  std::unique_ptr<FlowFeeder> plain_;
  std::unique_ptr<FlowFeeder> watched_;
};

// Mostly data and ACKs; now and then all that makes a packet more than steady.
class Traffic {
 public:
  explicit Traffic(uint32_t seed) : random_(seed) {}

  Packet Next(FlowFeeder& feeder) {
    const uint32_t flow = Below(12);  // every third of IPv6, the last four of UDP
    const bool udp = (flow >= 8) != One(40);
    const Sender sender = (flow % 3 == 2 ? MakeSender6 : MakeSender)(
        udp ? ip_protocol::kUdp : ip_protocol::kTcp, 0x0a000001 + flow,
        static_cast<uint16_t>(1000 + flow), 0x0a000005, 80);
    const bool back = flow % 3 != 0 && One(2);
    Packet packet = feeder.Make(back ? sender.Reverse() : sender, Time(), 60 + Below(1400));
    packet.flags = One(50) || udp ? 0 : packet_flag::kTcpFields;
    if (One(60)) packet.flags |= packet_flag::kBadChecksum;
    packet.payload_wire_length = One(2) ? Below(1400) : 0;
    if (!udp) packet.tcp_flags = Flags();
    uint32_t& sequence = sequences_[flow][back];
    packet.tcp_seq = sequence - (One(10) ? 500 : 0);
    packet.tcp_ack = sequences_[flow][!back];
    sequence += packet.payload_wire_length + (packet.tcp_flags & 1);
    if (One(100)) packet.label = Below(5);
    if (One(100)) packet.held_packets = packet.held_bytes = Below(5);
    if (One(80)) packet.verdict = Verdict::kMalformed;
    return packet;
  }

 private:
  uint32_t Below(uint32_t end) { return static_cast<uint32_t>(random_() % end); }
  bool One(uint32_t in) { return Below(in) == 0; }

  uint8_t Flags() {
    constexpr uint8_t kOdd[] = {tcp_flag::kSyn, tcp_flag::kSyn | tcp_flag::kAck,
                                tcp_flag::kFin, tcp_flag::kFin | tcp_flag::kAck,
                                tcp_flag::kRst, 0};
    if (One(25)) return kOdd[Below(6)];
    return static_cast<uint8_t>(tcp_flag::kAck | (One(3) ? tcp_flag::kPsh : 0));
  }

  int64_t Time() {
    constexpr int64_t kSteps[] = {18 * kSecond,  -kMillisecond, -20 * kSecond,   70 * kSecond,
                                  310 * kSecond, -5 * kSecond,  -8000 * kSecond, 12 * kSecond};
    if (One(60)) now_ns_ += kSteps[Below(8)];
    if (One(3000)) return INT64_MAX - Below(3);
    if (One(3000)) return -1 - int64_t{Below(3)};
    if (One(3000)) return INT64_MIN;
    return now_ns_ += Below(1000) * 1000;
  }

  std::mt19937 random_;
  int64_t now_ns_ = 100'000 * kSecond;
  uint32_t sequences_[12][2] = {};
};

class SteadyTrafficTest : public SteadyTest, public ::testing::WithParamInterface<bool> {};

TEST_P(SteadyTrafficTest, KeepsTheSameRecords) {
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    Open({.max_flows = seed % 3 == 0 ? 6u : 100u,
          .bidirectional = GetParam(),
          .drop_bad_checksums = seed % 2 == 0});
    Traffic traffic(seed);
    for (int batch = 0; batch < 200; ++batch) {
      std::vector<Packet> packets(1 + static_cast<size_t>(batch) % kBatchFrames);
      for (Packet& packet : packets) packet = traffic.Next(*plain_);
      Track(packets);
    }
    FinishAndCompare();
    EXPECT_GT(plain_->Ended().size(), 30u);
  }
}

INSTANTIATE_TEST_SUITE_P(Bidirectional, SteadyTrafficTest, ::testing::Bool());

// With the same port at both ends all that the hot line holds of their keys is equal.
TEST_F(SteadyTest, DirectionsOfIpv6AreApartWhereTheyAreFlowsOfTheirOwn) {
  Open({.bidirectional = false});
  const Sender there = MakeSender6(ip_protocol::kUdp, 1, 500, 2, 500);
  for (int i = 0; i < 20; ++i) {
    Track({plain_->Make(there, i), plain_->Make(there.Reverse(), i),
           plain_->Make(there.Reverse(), i)});
  }
  FinishAndCompare();
  ASSERT_EQ(plain_->Ended().size(), 2u);
  EXPECT_EQ(plain_->Ended()[0].packets[0] + plain_->Ended()[1].packets[0], 60u);
  EXPECT_EQ(std::max(plain_->Ended()[0].packets[0], plain_->Ended()[1].packets[0]), 40u);
}

TEST_F(SteadyTest, CountersCarry) {
  Open({});
  const Sender sender = MakeSender(ip_protocol::kTcp, 0x0a000001, 1000, 0x0a000002, 80);
  constexpr uint32_t kPackets = 3 * 65536 + 5;
  std::vector<Packet> packets(kBatchFrames);
  for (uint32_t sent = 0; sent < kPackets; sent += static_cast<uint32_t>(packets.size())) {
    packets.resize(std::min<size_t>(kBatchFrames, kPackets - sent));
    for (Packet& packet : packets) {
      packet = plain_->Make(sender, kSecond, 1u << 31);
      packet.flags = packet_flag::kTcpFields;
      packet.tcp_flags = tcp_flag::kAck;
      packet.payload_wire_length = 1;
    }
    Track(packets);
  }
  FinishAndCompare();
  ASSERT_EQ(plain_->Ended().size(), 1u);
  EXPECT_EQ(plain_->Ended()[0].packets[0], kPackets);
  EXPECT_EQ(plain_->Ended()[0].bytes[0], uint64_t{kPackets} << 31);
}

}  // namespace
}  // namespace weir

// The defragmenter, case by case: what completes, what is refused and why, what is bounded.
#include "engine/packet/defragmenter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <random>
#include <string_view>

#include "tests/engine/packet/defragmenting.h"

namespace weir::test {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

void ExpectCompleted(const Bench& bench, const Bytes& datagram, uint32_t frames) {
  const Packet& p = bench.packet();
  EXPECT_EQ(p.verdict, Verdict::kTracked);
  EXPECT_EQ(p.source_port, 1000);
  EXPECT_EQ(p.destination_port, 2000);
  EXPECT_EQ(p.flags, packet_flag::kDefragmented);
  EXPECT_EQ(p.held_packets, frames - 1);
  EXPECT_EQ(bench.payload(), std::string_view(reinterpret_cast<const char*>(datagram.data()) + 8,
                                              datagram.size() - 8));
  EXPECT_EQ(bench.counters().held, 0u);
  EXPECT_EQ(bench.counters().completed, 1u);
}

TEST(Defragmenter, CompletesAnIpv4Datagram) {
  Bench bench;
  const Bytes datagram = UdpDatagram(3000);
  const auto cuts = CutUp(datagram, 1480);
  uint32_t bytes = 0;
  for (const Cut& cut : cuts) {
    const Bytes frame = Frame4(cut);
    const Packet& p = bench.Feed(frame);
    bytes += static_cast<uint32_t>(frame.size());
    EXPECT_EQ(p.verdict, cut.more ? Verdict::kFragmentHeld : Verdict::kTracked);
  }
  ExpectCompleted(bench, datagram, 3);
  EXPECT_EQ(bench.packet().held_bytes + bench.packet().wire_length, bytes);
  EXPECT_EQ(bench.packet().anomalies, 0);
}

TEST(Defragmenter, CompletesInAnyOrder) {
  const Bytes datagram = UdpDatagram(500);
  auto cuts = CutUp(datagram, 128);
  std::vector<size_t> order = {0, 1, 2, 3};
  do {
    Bench bench;
    for (size_t i : order) bench.Feed(Frame4(cuts[i]));
    ExpectCompleted(bench, datagram, 4);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Defragmenter, CompletesAnIpv6Datagram) {
  Bench bench;
  const Bytes datagram = UdpDatagram(3000);
  for (const Cut& cut : CutUp(datagram, 1448)) bench.Feed(Frame6(cut));
  ExpectCompleted(bench, datagram, 3);
  EXPECT_EQ(bench.packet().family, AddressFamily::kIpv6);
}

TEST(Defragmenter, WalksExtensionHeadersBehindTheFragmentHeader) {
  Bench bench;
  const Bytes packet = PacketBuilder()
                           .Ipv6("2001:db8::1", "2001:db8::2")
                           .DestinationOptions()
                           .Udp(1000, 2000)
                           .Payload(100)
                           .Build();
  const Bytes datagram(packet.begin() + 40, packet.end());
  for (const Cut& cut : CutUp(datagram, 64)) bench.Feed(Frame6(cut, 7, 60));
  EXPECT_EQ(bench.packet().verdict, Verdict::kTracked);
  EXPECT_EQ(bench.packet().protocol, ip_protocol::kUdp);
  EXPECT_EQ(bench.packet().destination_port, 2000);
}

// RFC 1858 and RFC 3128: a first fragment that ends before the flags hides them from a filter that
// looks at fragments, not from one that puts them together.
TEST(Defragmenter, TinyFragmentsOfATcpHeaderHideNothing) {
  Bench bench;
  const Bytes packet = PacketBuilder()
                           .Ipv4("10.0.0.1", "10.0.0.2")
                           .Tcp(1000, 25, {.seq = 77, .flags = tcp_flag::kSyn})
                           .Payload(10)
                           .Build();
  for (const Cut& cut : CutUp(Bytes(packet.begin() + 20, packet.end()), 8)) {
    bench.Feed(Frame4(cut, 7, Ethernet(), ip_protocol::kTcp));
  }
  EXPECT_EQ(bench.packet().verdict, Verdict::kTracked);
  EXPECT_EQ(bench.packet().destination_port, 25);
  EXPECT_EQ(bench.packet().tcp_flags, tcp_flag::kSyn);
  EXPECT_EQ(bench.packet().tcp_seq, 77u);
  EXPECT_EQ(bench.packet().payload_length, 10u);
  EXPECT_EQ(bench.packet().held_packets, 3u);
}

// RFC 6946 section 4: it is a datagram of its own, whatever others have its identification.
TEST(Defragmenter, AnAtomicFragmentDoesNotTouchOthersOfItsId) {
  Bench bench;
  const auto cuts = CutUp(UdpDatagram(200), 104);
  bench.Feed(Frame6(cuts[0]));
  const Packet& atomic = bench.Feed(Frame6({0, UdpDatagram(50), false}));
  EXPECT_EQ(atomic.verdict, Verdict::kTracked);
  EXPECT_EQ(atomic.payload_length, 50u);
  EXPECT_EQ(bench.counters().held, 1u);
  EXPECT_EQ(bench.Feed(Frame6(cuts[1])).payload_length, 200u);
}

TEST(Defragmenter, ADatagramOf65535BytesAndTinyPieces) {
  Bench bench;
  const Bytes datagram = UdpDatagram(65'507);
  auto cuts = CutUp(datagram, 8);
  std::shuffle(cuts.begin(), cuts.end(), std::mt19937(3));
  for (const Cut& cut : cuts) bench.Feed(Frame4(cut));
  ExpectCompleted(bench, datagram, static_cast<uint32_t>(cuts.size()));
}

TEST(Defragmenter, RepeatedFragmentsCountButChangeNothing) {
  for (bool ipv6 : {false, true}) {
    Bench bench;
    const Bytes datagram = UdpDatagram(200);
    const auto cuts = CutUp(datagram, 104);
    const auto frame = [&](const Cut& cut) { return ipv6 ? Frame6(cut) : Frame4(cut); };
    bench.Feed(frame(cuts[0]));
    bench.Feed(frame(cuts[0]));
    bench.Feed(frame(cuts[1]));
    ExpectCompleted(bench, datagram, 3);
  }
}

TEST(Defragmenter, Ipv4KeepsTheBytesThatCameFirst) {
  Bench bench;
  const Bytes datagram = UdpDatagram(200);
  auto cuts = CutUp(datagram, 104);
  bench.Feed(Frame4(cuts[0]));
  bench.Feed(Frame4({64, Bytes(64, 0xee), true}));  // 40 bytes are there already
  bench.Feed(Frame4(cuts[1]));                      // 24 bytes are
  Bytes expected = datagram;
  std::fill(expected.begin() + 104, expected.begin() + 128, uint8_t{0xee});
  ExpectCompleted(bench, expected, 3);
}

TEST(Defragmenter, Ipv6RefusesAnOverlapAndWhatFollows) {  // RFC 5722 section 4
  Bench bench;
  const auto cuts = CutUp(UdpDatagram(200), 104);
  bench.Feed(Frame6(cuts[0]));
  EXPECT_EQ(bench.Feed(Frame6({96, Bytes(16, 1), true})).verdict, Verdict::kFragmentDropped);
  EXPECT_EQ(bench.Feed(Frame6(cuts[1])).verdict, Verdict::kFragmentDropped);
  EXPECT_EQ(bench.dropped(FragmentDrop::kOverlap), 3u);
  EXPECT_EQ(bench.counters().completed, 0u);
  EXPECT_EQ(bench.Feed(Frame6(cuts[0]), 40 * kSecond).verdict, Verdict::kFragmentHeld);
}

TEST(Defragmenter, ALastFragmentMustNotContradictTheEnd) {
  Bench bench;
  const auto cuts = CutUp(UdpDatagram(300), 104);
  bench.Feed(Frame4(cuts[2]));
  EXPECT_EQ(bench.Feed(Frame4({400, Bytes(8), true})).reason, uint8_t(FragmentDrop::kOverlap));
  EXPECT_EQ(bench.Feed(Frame4({8, Bytes(8), false})).reason, uint8_t(FragmentDrop::kOverlap));
}

void ExpectRefused(Bench& bench, const Packet& p, FragmentDrop reason) {
  EXPECT_EQ(p.verdict, Verdict::kFragmentDropped);
  EXPECT_EQ(p.reason, static_cast<uint8_t>(reason));
  EXPECT_EQ(bench.dropped(reason), 1u);
  EXPECT_EQ(bench.counters().held, 0u);
}

TEST(Defragmenter, AMiddleFragmentOfNoMultipleOf8HasABadLength) {
  Bench bench;
  ExpectRefused(bench, bench.Feed(Frame4({8, Bytes(9), true})), FragmentDrop::kBadLength);
}

TEST(Defragmenter, AnEmptyFragmentHasABadLength) {
  Bench bench;
  ExpectRefused(bench, bench.Feed(Frame4({8, Bytes(), true})), FragmentDrop::kBadLength);
}

TEST(Defragmenter, AFragmentThatWasCapturedShortIsTruncated) {
  Bench bench;
  ExpectRefused(bench, bench.Feed(Frame4({8, Bytes(100), true}), 0, 60), FragmentDrop::kTruncated);
}

TEST(Defragmenter, ADatagramBeyondWhatItsHeaderCanTellIsOversize) {  // the "ping of death"
  const auto verdict = [](const Bytes& frame) {
    Bench bench;
    const Packet& p = bench.Feed(frame);
    EXPECT_EQ(bench.dropped(FragmentDrop::kOversize), bench.counters().held == 0);
    return p.verdict;
  };
  EXPECT_EQ(verdict(Frame4({65'504, Bytes(11), false})), Verdict::kFragmentHeld);  // 65,535 in all
  EXPECT_EQ(verdict(Frame4({65'504, Bytes(12), false})), Verdict::kFragmentDropped);
  EXPECT_EQ(verdict(Frame6({65'528, Bytes(7), false})), Verdict::kFragmentHeld);
  EXPECT_EQ(verdict(Frame6({65'528, Bytes(8), false})), Verdict::kFragmentDropped);
}

TEST(Defragmenter, ATruncatedFirstFragmentIsTrackedAtOnce) {
  Bench bench;
  const Bytes frame = Frame4(CutUp(UdpDatagram(300), 104)[0]);
  const Packet& p = bench.Feed(frame, 0, 14 + 20 + 20);
  EXPECT_EQ(p.verdict, Verdict::kTracked);
  EXPECT_EQ(p.destination_port, 2000);
  EXPECT_EQ(p.payload_length, 12u);
  EXPECT_EQ(p.transport_offset, 34u);
  EXPECT_EQ(p.flags & packet_flag::kFragment, packet_flag::kFragment);
}

TEST(Defragmenter, WireLengthsOfADatagramStayWithin32Bits) {
  Bench bench;
  const auto cuts = CutUp(UdpDatagram(200), 104);
  bench.Feed(Frame4(cuts[0]), 0, {}, UINT32_MAX - 100);
  const Packet& p = bench.Feed(Frame4(cuts[1]), 0, {}, 200);
  EXPECT_EQ(p.verdict, Verdict::kFragmentDropped);
  EXPECT_EQ(p.reason, uint8_t(FragmentDrop::kOversize));
  bench.Feed(Frame4(cuts[1]), 0, {}, 100);
  EXPECT_EQ(bench.packet().verdict, Verdict::kTracked);
  EXPECT_EQ(bench.packet().held_bytes, UINT32_MAX - 100);
}

// An IPv4 tunnel's first fragment, captured short, with a fragment inside.
Bytes FragmentInFragment(const Cut& inner) {
  return Ethernet()
      .Ipv4("192.0.2.1", "192.0.2.2")
      .Ipv4Fragment(3, 0, true, 4)
      .Ipv4("10.0.0.1", "10.0.0.2")
      .Ipv4Fragment(7, inner.offset, inner.more)
      .Payload(inner.bytes)
      .Build();
}

TEST(Defragmenter, AFragmentInsideATruncatedFirstFragmentIsCounted) {
  Bench bench;
  const Bytes frame = FragmentInFragment({8, Bytes(96), true});
  const Packet& p = bench.Feed(frame, 0, 14 + 20 + 20 + 40);
  EXPECT_EQ(p.verdict, Verdict::kFragmentDropped);
  EXPECT_EQ(p.reason, uint8_t(FragmentDrop::kTruncated));
}

TEST(Defragmenter, AFirstFragmentInsideATruncatedFirstFragmentHasThePorts) {
  Bench bench;
  const Packet& p =
      bench.Feed(FragmentInFragment({0, UdpDatagram(88), true}), 0, 14 + 20 + 20 + 40);
  EXPECT_EQ(p.verdict, Verdict::kTracked);
  EXPECT_EQ(p.source_port, 1000);
}

// Datagrams in datagrams, each in two pieces: the first ones are fed, the last piece of the
// outermost, which brings all others, is returned.
Bytes NestedFragments(Bench& bench, int depth) {
  const auto tunnel = [](int headers) {
    PacketBuilder builder = Ethernet();
    for (int i = 0; i < headers; ++i) builder.Ipv4("10.0.0.1", "10.0.0.2");
    return builder;
  };
  const auto piece = [](PacketBuilder builder, int id, const Cut& cut) {
    return builder.Ipv4("10.0.0.1", "10.0.0.2")
        .Ipv4Fragment(static_cast<uint16_t>(id), cut.offset, cut.more, 4)
        .Payload(cut.bytes)
        .Build();
  };
  Bytes inside = PacketBuilder().Ipv4("10.0.0.1", "10.0.0.2").Udp(1000, 2000).Payload(9).Build();
  for (int level = depth; level > 0; --level) {
    const Bytes first(inside.begin(), inside.begin() + 8), rest(inside.begin() + 8, inside.end());
    bench.Feed(piece(tunnel(level - 1), level, {0, first, true}));
    inside = piece(PacketBuilder(), level, {8, rest, false});
  }
  Bytes frame = Ethernet().Payload(inside).Build();
  frame[12] = 0x08, frame[13] = 0;
  return frame;
}

TEST(Defragmenter, FragmentsWithinFragmentsAreFollowedOnlySoDeeply) {
  Bench bench;
  const Packet& four = bench.Feed(NestedFragments(bench, 4));
  EXPECT_EQ(four.verdict, Verdict::kTracked);
  EXPECT_EQ(four.held_packets, 4u);
  const Packet& five = bench.Feed(NestedFragments(bench, 5));
  EXPECT_EQ(five.verdict, Verdict::kFragmentDropped);
  EXPECT_EQ(five.reason, uint8_t(FragmentDrop::kNesting));
}

TEST(Defragmenter, EveryFrameOfABatchMayCompleteALargeDatagram) {
  const Decoder decoder;
  Defragmenter defragmenter({}, decoder);
  const auto cuts = CutUp(UdpDatagram(60'000), 59'992);
  const auto apply = [&](const Cut& cut) {
    std::vector<Bytes> bytes;
    std::vector<Frame> frames;
    for (uint16_t id = 0; id < kBatchFrames; ++id) bytes.push_back(Frame4(cut, id));
    for (const Bytes& one : bytes) frames.push_back(AsFrame(one));
    std::vector<Packet> packets(frames.size());
    std::vector<TunnelPath> paths(frames.size());
    decoder.DecodeBatch(frames, packets, paths);
    defragmenter.Apply(frames, packets, paths, 0);
  };
  apply(cuts[0]);
  apply(cuts[1]);
  EXPECT_EQ(defragmenter.counters().completed, uint64_t{kBatchFrames});
}

TEST(Defragmenter, GivesUpAfterTheTimeout) {
  Bench bench;
  const auto cuts = CutUp(UdpDatagram(200), 104);
  bench.Feed(Frame4(cuts[0]), kSecond);
  bench.defragmenter().Expire(31 * kSecond - 1);
  EXPECT_EQ(bench.counters().held, 1u);
  bench.defragmenter().Expire(31 * kSecond);
  EXPECT_EQ(bench.dropped(FragmentDrop::kTimeout), 1u);
  EXPECT_EQ(bench.Feed(Frame4(cuts[1]), 32 * kSecond).verdict, Verdict::kFragmentHeld);
}

TEST(Defragmenter, WhatIsHeldAtTheEndIsGivenUp) {
  Bench bench;
  bench.Feed(Frame4({0, Bytes(8), true}));
  bench.defragmenter().Flush();
  EXPECT_EQ(bench.dropped(FragmentDrop::kEnd), 1u);
  bench.ExpectBalance();
}

TEST(Defragmenter, ASendersOldestDatagramGoesFirst) {
  Bench bench({.max_datagrams = 8, .max_bytes = 1 << 20});
  const Bytes datagram = UdpDatagram(200);
  const auto cuts = CutUp(datagram, 104);
  for (uint16_t id = 100; id < 200; ++id) bench.Feed(Frame4(cuts[1], id));
  EXPECT_EQ(bench.counters().held, 8u);
  EXPECT_EQ(bench.dropped(FragmentDrop::kMemory), 92u);
  bench.Feed(Frame4(cuts[0], 199));  // the youngest are still there
  EXPECT_EQ(bench.packet().verdict, Verdict::kTracked);
}

TEST(Defragmenter, BytesAreBounded) {
  Bench bench({.max_datagrams = 64, .max_bytes = 8192});
  const size_t memory = bench.defragmenter().memory_bytes();
  const auto cuts = CutUp(UdpDatagram(4000), 1024);
  for (uint16_t id = 0; id < 100; ++id) {
    for (size_t i = 0; i + 1 < cuts.size(); ++i) bench.Feed(Frame4(cuts[i], id));
  }
  EXPECT_LE(bench.counters().held, 8u);
  EXPECT_GT(bench.dropped(FragmentDrop::kMemory), 0u);
  EXPECT_EQ(bench.defragmenter().memory_bytes(), memory);
}

TEST(Defragmenter, ADatagramLargerThanTheLimitIsGivenUp) {
  Bench bench({.max_datagrams = 64, .max_bytes = 4096});
  for (const Cut& cut : CutUp(UdpDatagram(20'000), 1024)) bench.Feed(Frame4(cut));
  EXPECT_EQ(bench.counters().completed, 0u);
}

TEST(Defragmenter, OneBatchMayHoldAllOfSeveralDatagrams) {
  const Decoder decoder;
  Defragmenter defragmenter({}, decoder);
  std::deque<Bytes> bytes;
  std::vector<Frame> frames;
  for (uint16_t id = 0; id < 4; ++id) {
    for (const Cut& cut : CutUp(UdpDatagram(900, static_cast<uint16_t>(1000 + id)), 304)) {
      bytes.push_back(Frame4(cut, id));
      frames.push_back(AsFrame(bytes.back()));
    }
  }
  std::vector<Packet> packets(frames.size());
  std::vector<TunnelPath> paths(frames.size());
  decoder.DecodeBatch(frames, packets, paths);
  defragmenter.Apply(frames, packets, paths, 0);
  for (uint16_t id = 0; id < 4; ++id) {
    const Packet& p = packets[id * 3u + 2];
    EXPECT_EQ(p.verdict, Verdict::kTracked);
    EXPECT_EQ(p.source_port, 1000 + id);
    EXPECT_EQ(p.payload[899], static_cast<uint8_t>(899));
  }
}

}  // namespace
}  // namespace weir::test

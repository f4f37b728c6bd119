// Floods of fragments that never complete, beside an honest host's datagrams: what still completes.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "tests/engine/packet/defragmenting.h"

namespace weir::test {
namespace {

constexpr size_t kSource4 = 14 + 12, kId4 = 14 + 4;  // in a frame; RFC 791 section 3.1
constexpr size_t kSource6 = 14 + 8;                  // RFC 8200 section 3

// A defragmenter as it is by default, between an honest host and a flood.
class FloodedBench {
 public:
  template <typename Flood>
  void Run(int datagrams, int fragments, Flood&& flood) {
    const auto cuts = CutUp(UdpDatagram(static_cast<size_t>(fragments) * 504 - 8), 504);
    for (int i = 0; i < datagrams; ++i) {
      for (const Cut& cut : cuts) {
        if (cut.offset != 0) flood();
        const Packet& p = bench_.Feed(Frame4(cut, static_cast<uint16_t>(i)));
        if (!cut.more) completed_ += p.verdict == Verdict::kTracked;
      }
    }
  }

  void Send(const Bytes& frame) { bench_.Feed(frame); }
  int completed() const { return completed_; }
  Bench& bench() { return bench_; }

 private:
  Bench bench_;
  int completed_ = 0;
};

// One that sends fragments of ever new datagrams, from wherever it says.
class Flooder {
 public:
  explicit Flooder(Bytes frame, size_t tag = 0) : frame_(std::move(frame)), tag_(tag) {}

  const Bytes& From4(uint32_t address, uint32_t id) {
    for (size_t i = 0; i < 4; ++i)
      frame_[kSource4 + tag_ + i] = static_cast<uint8_t>(address >> 8 * i);
    frame_[kId4 + tag_] = static_cast<uint8_t>(id >> 8);
    frame_[kId4 + tag_ + 1] = static_cast<uint8_t>(id);
    return frame_;
  }
  const Bytes& From6(std::mt19937& random) {  // of one /64
    for (size_t i = 8; i < 16; ++i) frame_[kSource6 + i] = static_cast<uint8_t>(random());
    return frame_;
  }

 private:
  Bytes frame_;
  size_t tag_;  // bytes of a VLAN tag before the IP header
};

Bytes Piece(uint32_t offset) { return Frame4({offset, Bytes(504), true}); }

TEST(DefragmenterFlood, AFloodOfOneSenderDrivesOutNobodyElse) {
  uint32_t id = 0;
  FloodedBench bench;
  Flooder flooder(Piece(504));
  bench.Run(50, 4, [&] {
    for (int i = 0; i < 1500; ++i) bench.Send(flooder.From4(0x01020304, id++));
  });
  EXPECT_EQ(bench.completed(), 50);
}

TEST(DefragmenterFlood, AFloodOfThirtySendersDrivesOutNobodyElse) {
  FloodedBench bench;
  Flooder flooder(Piece(504));
  bench.Run(50, 4, [&] {
    for (uint32_t i = 0; i < 1500; ++i) bench.Send(flooder.From4(i % 30, i));
  });
  EXPECT_EQ(bench.completed(), 50);
}

TEST(DefragmenterFlood, AnIpv6NetworkIsOneSender) {
  FloodedBench bench;
  std::mt19937 random(3);
  Flooder flooder(Frame6({504, Bytes(504), true}));
  bench.Run(50, 4, [&] {
    for (int i = 0; i < 1500; ++i) bench.Send(flooder.From6(random));
  });
  EXPECT_EQ(bench.completed(), 50);
}

TEST(DefragmenterFlood, OneSendersLargeDatagramsDriveOutNobodyElse) {
  uint32_t id = 0;
  FloodedBench bench;
  Flooder flooder(Frame4({504, Bytes(32'000), true}));  // bytes run out, not datagrams
  bench.Run(100, 4, [&] {
    for (int i = 0; i < 200; ++i) bench.Send(flooder.From4(0x01020304, id++));
  });
  EXPECT_EQ(bench.completed(), 100);
}

TEST(DefragmenterFlood, ASenderInAVlanIsNotTheOneOutside) {
  uint32_t id = 0;
  FloodedBench bench;
  Flooder flooder(Frame4({504, Bytes(504), true}, 7, Ethernet().Vlan(5)), 4);
  bench.Run(50, 4, [&] {
    for (int i = 0; i < 1500; ++i)
      bench.Send(flooder.From4(0x0100000a, id++));  // 10.0.0.1, as is the host
  });
  EXPECT_EQ(bench.completed(), 50);
}

// 200 fragments of the flood between two of the honest host on average, at most some 1,500: 200,000
// a second where a datagram's fragments are 1 ms apart.
int Gap(std::mt19937& random) {
  return static_cast<int>(std::exponential_distribution(1 / 200.0)(random));
}

TEST(DefragmenterFlood, OfMadeUpSendersLeavesNinetyNinePercent) {
  FloodedBench bench;
  std::mt19937 random(1);
  Flooder flooder(Piece(504));
  bench.Run(1000, 4, [&] {
    for (int i = Gap(random); i > 0; --i)
      bench.Send(flooder.From4(static_cast<uint32_t>(random()), 7));
  });
  EXPECT_GE(bench.completed(), 990);
}

TEST(DefragmenterFlood, OfMadeUpSendersWithTwoFragmentsEachLeavesNinetyNinePercent) {
  FloodedBench bench;
  std::mt19937 random(1);
  Flooder first(Piece(504)), second(Piece(1008));
  bench.Run(1000, 4, [&] {
    for (int i = Gap(random); i > 0; i -= 2) {
      const uint32_t source = static_cast<uint32_t>(random());
      bench.Send(first.From4(source, 7));
      bench.Send(second.From4(source, 7));
    }
  });
  EXPECT_GE(bench.completed(), 990);
}

// The worst for the honest host: both kinds hold half.
TEST(DefragmenterFlood, OfMadeUpSendersOfBothKindsLeavesNinetyPercent) {
  FloodedBench bench;
  std::mt19937 random(1);
  Flooder first(Piece(504)), second(Piece(1008));
  bench.Run(1000, 4, [&] {
    for (int i = Gap(random); i > 0; --i) {
      const uint32_t source = static_cast<uint32_t>(random());
      bench.Send(first.From4(source, 7));
      if (i % 3 == 0) bench.Send(second.From4(source, 7));
    }
  });
  EXPECT_GE(bench.completed(), 900);
}

// Datagrams with two fragments hold all room; they must not keep it until they are too old.
TEST(DefragmenterFlood, WhatAFloodLeftBehindDoesNotShutOutWhoComesNext) {
  FloodedBench bench;
  std::mt19937 random(1);
  Flooder first(Piece(504)), second(Piece(1008)), more(Piece(504));
  for (int i = 0; i < 5000; ++i) {
    const uint32_t source = static_cast<uint32_t>(random());
    bench.Send(first.From4(source, 7));
    bench.Send(second.From4(source, 7));
  }
  bench.Run(100, 4, [&] {
    for (int i = 0; i < 100; ++i) bench.Send(more.From4(static_cast<uint32_t>(random()), 7));
  });
  EXPECT_EQ(bench.completed(), 100);
}

}  // namespace
}  // namespace weir::test

#include "engine/packet/dedup.h"

#include <algorithm>
#include <string>
#include <vector>

#include "engine/packet/decoder.h"
#include "engine/packet/recent_hashes.h"
#include "engine/packet/wide_hash.h"
#include "gtest/gtest.h"
#include "tests/support/allocation_counter.h"

namespace weir {
namespace {

constexpr FrameDirection kOut = FrameDirection::kOutgoing;
constexpr FrameDirection kIn = FrameDirection::kHost;

Frame MakeFrame(std::string_view bytes, int64_t time = 0, FrameDirection direction = kIn) {
  Frame frame;
  frame.data = reinterpret_cast<const uint8_t*>(bytes.data());
  frame.captured_length = frame.wire_length = static_cast<uint32_t>(bytes.size());
  frame.timestamp_ns = time;
  frame.direction = direction;
  return frame;
}

// "D" and "." for each frame of the same bytes, 1 µs apart.
std::string Loopback(std::initializer_list<FrameDirection> directions) {
  Dedup dedup({.mode = DedupMode::kLoopback});
  std::string verdicts;
  for (FrameDirection direction : directions) {
    verdicts += dedup.IsDuplicate(MakeFrame("ping", 1000 * int64_t(verdicts.size()), direction))
                    ? 'D'
                    : '.';
  }
  return verdicts;
}

TEST(Dedup, LoopbackPairsOutgoingWithHostOnce) {
  EXPECT_EQ(Loopback({kOut, kIn}), ".D");
  EXPECT_EQ(Loopback({kOut, kIn, kIn}), ".D.");
}

TEST(Dedup, LoopbackKeepsWhatWasReallySentTwice) {
  EXPECT_EQ(Loopback({kOut, kIn, kOut, kIn}), ".D.D");
  EXPECT_EQ(Loopback({kOut, kOut, kIn, kIn}), "..DD");
  EXPECT_EQ(Loopback({kOut, kOut}), "..");
  EXPECT_EQ(Loopback({kIn, kIn}), "..");
}

TEST(Dedup, LoopbackDoesNotPairBackwardsOrWithoutDirections) {
  EXPECT_EQ(Loopback({kIn, kOut}), "..");
  EXPECT_EQ(Loopback({FrameDirection::kUnknown, FrameDirection::kUnknown}), "..");
}

TEST(Dedup, LoopbackPairsTheOldestFirst) {
  Dedup dedup({.mode = DedupMode::kLoopback, .window_ns = 1000});
  EXPECT_FALSE(dedup.IsDuplicate(MakeFrame("ping", 0, kOut)));
  EXPECT_FALSE(dedup.IsDuplicate(MakeFrame("ping", 900, kOut)));
  EXPECT_TRUE(dedup.IsDuplicate(MakeFrame("ping", 950, kIn)));
  EXPECT_TRUE(dedup.IsDuplicate(MakeFrame("ping", 1500, kIn)));
}

TEST(Dedup, LoopbackSeesThroughTheCookedHeader) {
  std::string out = std::string("\0\4\3\4", 4) + std::string(20, 'x');
  std::string in = std::string("\0\0\3\4", 4) + std::string(20, 'x');
  Dedup dedup({.mode = DedupMode::kLoopback});
  Frame first = MakeFrame(out, 0, kOut), second = MakeFrame(in, 0, kIn);
  first.link_type = second.link_type = link_type::kLinuxSll;
  EXPECT_FALSE(dedup.IsDuplicate(first));
  EXPECT_TRUE(dedup.IsDuplicate(second));
}

TEST(Dedup, ACopyExactlyAWindowLaterIsStillOne) {
  Dedup dedup({.mode = DedupMode::kContent, .window_ns = 1000});
  EXPECT_FALSE(dedup.IsDuplicate(MakeFrame("a", 0)));
  EXPECT_TRUE(dedup.IsDuplicate(MakeFrame("a", 1000)));
  EXPECT_FALSE(dedup.IsDuplicate(MakeFrame("a", 1001)));
}

TEST(Dedup, RefreshMovesTheWindowWithEachDuplicate) {
  Dedup dedup({.mode = DedupMode::kContent, .window_ns = 1000, .refresh = true});
  EXPECT_FALSE(dedup.IsDuplicate(MakeFrame("a", 0)));
  EXPECT_TRUE(dedup.IsDuplicate(MakeFrame("a", 1000)));
  EXPECT_TRUE(dedup.IsDuplicate(MakeFrame("a", 2000)));
}

TEST(Dedup, TimeThatGoesBackIsADistanceToo) {
  Dedup dedup({.mode = DedupMode::kContent, .window_ns = 1000});
  EXPECT_FALSE(dedup.IsDuplicate(MakeFrame("a", 5000)));
  EXPECT_TRUE(dedup.IsDuplicate(MakeFrame("a", 4000)));
  EXPECT_FALSE(dedup.IsDuplicate(MakeFrame("a", 3999)));
}

TEST(Dedup, ExtremesOfTimeAreFarApart) {
  Dedup dedup({.mode = DedupMode::kContent, .window_ns = INT64_MAX});
  EXPECT_FALSE(dedup.IsDuplicate(MakeFrame("a", INT64_MAX)));
  EXPECT_FALSE(dedup.IsDuplicate(MakeFrame("a", INT64_MIN)));
}

TEST(Dedup, AStrippedTagIsContent) {
  Dedup dedup({.mode = DedupMode::kContent});
  Frame frame = MakeFrame("bytes of a frame");
  EXPECT_FALSE(dedup.IsDuplicate(frame));
  frame.vlan_tpid = 0x8100;
  frame.vlan_tci = 7;
  EXPECT_FALSE(dedup.IsDuplicate(frame));
  frame.vlan_tci = 8;
  EXPECT_FALSE(dedup.IsDuplicate(frame));
  EXPECT_TRUE(dedup.IsDuplicate(frame));
}

TEST(Dedup, CountsTheWindowThatTheDepthCovers) {
  Dedup dedup({.mode = DedupMode::kContent, .window_ns = 100, .depth = 4});
  for (int64_t i = 0; i < 10; ++i)
    dedup.IsDuplicate(MakeFrame(std::string(3, static_cast<char>(i)), i * 10));
  EXPECT_EQ(dedup.counters().covered_window_ns, 40);
  EXPECT_EQ(dedup.counters().least_covered_window_ns, 40);
  EXPECT_EQ(dedup.counters().depth_exceeded, 6u);
}

// Two copies of a decoded frame that differ in `change`: is the second one dropped?
class Masked {
 public:
  Masked() {
    const std::string ip(
        "\x45\x00\x00\x20\x00\x01\x00\x00\x40\x11\x12\x34\x0a\x00\x00\x01\x0a\x00\x00\x02", 20);
    const std::string udp(
        "\x10\x00\x20\x00\x00\x0c\xab\xcd"
        "data",
        12);
    packet = ip + udp;
    plain = std::string("aaaaaabbbbbb\x08\x00", 14) + packet;
    tagged = std::string("aaaaaabbbbbb\x81\x00\x00\x05\x08\x00", 18) + packet;
  }

  bool Equal(const std::string& first, const std::string& second, uint8_t ignore,
             uint16_t second_tag = 0) const {
    Dedup dedup({.mode = DedupMode::kContent, .ignore = ignore});
    Frame frames[2] = {MakeFrame(first), MakeFrame(second)};
    if (second_tag != 0) frames[1].vlan_tpid = 0x8100;
    frames[1].vlan_tci = second_tag;
    Packet packets[2];
    TunnelPath paths[2];
    Decoder().DecodeBatch(frames, packets, paths);
    EXPECT_EQ(packets[0].verdict, Verdict::kTracked);
    dedup.Apply(frames, packets);
    return packets[1].verdict == Verdict::kDuplicate;
  }

  static std::string Changed(std::string bytes, size_t at) {
    bytes[at] = static_cast<char>(bytes[at] ^ 0x3f);
    return bytes;
  }

  std::string packet, plain, tagged;
};

constexpr uint8_t kEveryMask =
    dedup_ignore::kMac | dedup_ignore::kVlan | dedup_ignore::kTtl | dedup_ignore::kChecksum;

TEST(DedupMask, EachMaskHidesItsBytesOnly) {
  const Masked m;
  struct {
    size_t at;
    uint8_t hidden_by;
  } cases[] = {{0, dedup_ignore::kMac},
               {11, dedup_ignore::kMac},
               {12 + 2 + 8, dedup_ignore::kTtl},
               {12 + 2 + 10, dedup_ignore::kTtl | dedup_ignore::kChecksum},
               {12 + 2 + 20 + 6, dedup_ignore::kChecksum},
               {12 + 2 + 4, 0},
               {12 + 2 + 16, 0},
               {12 + 2 + 20 + 1, 0},
               {12 + 2 + 28, 0}};
  for (const auto& c : cases) {
    for (uint8_t mask = 0; mask <= kEveryMask; ++mask) {
      EXPECT_EQ(m.Equal(m.plain, Masked::Changed(m.plain, c.at), mask), (mask & c.hidden_by) != 0)
          << "byte " << c.at << " mask " << int{mask};
    }
  }
}

TEST(DedupMask, VlanTagsAreEqualStrippedOrNotWhenIgnored) {
  const Masked m;
  for (uint8_t mask = 0; mask <= kEveryMask; ++mask) {
    const bool ignored = (mask & dedup_ignore::kVlan) != 0;
    EXPECT_EQ(m.Equal(m.plain, m.tagged, mask), ignored);
    EXPECT_EQ(m.Equal(m.tagged, Masked::Changed(m.tagged, 15), mask), ignored);
    EXPECT_EQ(m.Equal(m.tagged, m.plain, mask, 9), ignored);
  }
}

TEST(DedupMask, TheOuterHeaderOfATunnelIsMaskedToo) {
  Masked m;
  const std::string outer(
      "\x45\x00\x00\x34\x00\x01\x00\x00\x40\x04\x12\x34\x0a\x01\x00\x01\x0a\x01\x00\x02", 20);
  const std::string tunnelled = m.plain.substr(0, 14) + outer + m.packet;
  EXPECT_TRUE(m.Equal(tunnelled, Masked::Changed(tunnelled, 14 + 8), dedup_ignore::kTtl));
  EXPECT_TRUE(m.Equal(tunnelled, Masked::Changed(tunnelled, 34 + 8), dedup_ignore::kTtl));
  EXPECT_FALSE(m.Equal(tunnelled, Masked::Changed(tunnelled, 14 + 8), dedup_ignore::kMac));
}

TEST(Dedup, NothingIsAllocatedAfterConstruction) {
  std::vector<std::string> bytes;
  for (int i = 0; i < 1000; ++i)
    bytes.push_back(std::string(static_cast<size_t>(i), static_cast<char>(i)));
  for (DedupMode mode : {DedupMode::kContent, DedupMode::kLoopback}) {
    for (uint8_t ignore : {uint8_t{0}, kEveryMask}) {
      Dedup dedup({.mode = mode, .depth = 100, .ignore = ignore});
      Frame frames[kBatchFrames];
      Packet packets[kBatchFrames];
      const uint64_t before = test::Allocations();
      for (int round = 0; round < 100; ++round) {
        for (int i = 0; i < kBatchFrames; ++i) {
          frames[i] = MakeFrame(bytes[static_cast<size_t>(round * 37 + i * 11) % 1000], round,
                                i % 2 == 0 ? kOut : kIn);
          packets[i].verdict = Verdict::kTracked;
        }
        dedup.Apply(frames, packets);
      }
      EXPECT_EQ(test::Allocations(), before);
    }
  }
}

TEST(WideHash, IsTheSameWithAndWithoutAvx2) {
  if (WideHash::Avx2() == nullptr) GTEST_SKIP() << "this processor has no AVX2";
  std::vector<uint8_t> bytes(3000), secret(WideHash::kSecretBytes, 0x5a);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 7 + i / 256);
  for (size_t length = 0; length < bytes.size(); length += 13) {
    EXPECT_EQ(WideHash::Avx2()(bytes.data(), length, secret.data(), 5),
              WideHash::Portable()(bytes.data(), length, secret.data(), 5));
  }
}

// Every hash in one bucket: the index must spill from line to line and still find each one.
TEST(RecentHashes, FindsAllThatShareABucket) {
  RecentHashes recent(100);
  const auto hash = [](uint64_t i) { return Hash128{0, i}; };
  for (uint64_t i = 1; i <= 1000; ++i) {
    ASSERT_EQ(recent.Find(hash(i)), nullptr);
    recent.Push(hash(i), static_cast<int64_t>(i), nullptr);
    for (uint64_t back = 0; back < 100 && back < i; ++back) {
      const RecentHashes::Record* found = recent.Find(hash(i - back));
      ASSERT_NE(found, nullptr) << i << " back " << back;
      ASSERT_EQ(found->time, static_cast<int64_t>(i - back));
    }
    if (i > 100) {
      ASSERT_EQ(recent.Find(hash(i - 100)), nullptr);
    }
  }
}

TEST(RecentHashes, SequenceNumbersMayComeRound) {
  RecentHashes recent(50, UINT32_MAX - 2000);
  for (uint64_t i = 1; i <= 5000; ++i) {
    const Hash128 hash{i % 70, i % 70};
    const RecentHashes::Record* newest = recent.Find(hash);
    ASSERT_EQ(newest, nullptr) << i;
    recent.Push(hash, static_cast<int64_t>(i), newest);
    for (uint64_t back = 0; back < 50 && back < i; ++back) {
      RecentHashes::Record* found = recent.Find({(i - back) % 70, (i - back) % 70});
      ASSERT_NE(found, nullptr) << i;
      ASSERT_EQ(found->time, static_cast<int64_t>(i - back));
      ASSERT_EQ(recent.Previous(*found), nullptr);
    }
  }
}

TEST(RecentHashes, ChainsGoOnWhenSequenceNumbersComeRound) {
  RecentHashes recent(8, UINT32_MAX - 100);
  for (int64_t i = 1; i <= 300; ++i) {
    recent.Push({1, 1}, i, recent.Find({1, 1}));
    int64_t wanted = i;
    for (RecentHashes::Record* record = recent.Find({1, 1}); record != nullptr;
         record = recent.Previous(*record)) {
      ASSERT_EQ(record->time, wanted--);
    }
    ASSERT_EQ(i - wanted, std::min<int64_t>(i, 8));
  }
}

// Equal tags with different hashes are told apart by the whole hash.
TEST(RecentHashes, ATagIsNotAHash) {
  RecentHashes recent(10);
  recent.Push({5, 7}, 1, nullptr);
  EXPECT_EQ(recent.Find({5, uint64_t{1} << 40 | 7}), nullptr);
  EXPECT_NE(recent.Find({5, 7}), nullptr);
}

}  // namespace
}  // namespace weir

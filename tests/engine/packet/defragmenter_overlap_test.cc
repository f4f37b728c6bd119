// Overlapping IPv4 fragments by the rules of the named systems: the published examples, and what is
// counted.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "engine/packet/defragmenter.h"
#include "tests/engine/packet/defragmenting.h"

namespace weir::test {
namespace {

constexpr uint8_t kOpaque = 253;  // no header behind it: the payload is the datagram

// A fragment whose units all hold one letter.
struct Lettered {
  char letter;
  uint32_t unit;
  uint32_t units;
};

void Feed(Bench& bench, const Lettered& piece, bool more) {
  bench.Feed(
      Frame4({piece.unit * 8, Bytes(piece.units * 8, static_cast<uint8_t>(piece.letter)), more}, 7,
             Ethernet(), kOpaque));
}

// The datagram's units as letters; the last piece is the datagram's end.
std::string Result(OverlapPolicy policy, const std::vector<Lettered>& pieces) {
  Bench bench({.overlap = policy});
  for (const Lettered& piece : pieces) Feed(bench, piece, &piece != &pieces.back());
  EXPECT_EQ(bench.counters().completed, 1u);
  std::string letters;
  for (size_t i = 0; i < bench.payload().size(); i += 8) {
    EXPECT_EQ(bench.payload().substr(i, 8), std::string(8, bench.payload()[i]));
    letters += bench.payload()[i];
  }
  return letters;
}

struct Example {
  OverlapPolicy policy;
  std::string_view result;
};

TEST(DefragmenterOverlap, FragmentsOfShankarAndPaxson2003) {
  const std::vector<Lettered> pieces = {{'1', 0, 3}, {'2', 4, 2}, {'3', 6, 3},
                                        {'4', 1, 4}, {'5', 6, 3}, {'6', 9, 3}};
  for (const auto& [policy, result] : {Example{OverlapPolicy::kBsd, "111442333666"},
                                       Example{OverlapPolicy::kBsdRight, "144422555666"},
                                       Example{OverlapPolicy::kLinux, "111442555666"},
                                       Example{OverlapPolicy::kFirst, "111422333666"},
                                       Example{OverlapPolicy::kLast, "144442555666"}}) {
    EXPECT_EQ(Result(policy, pieces), result) << Name(policy);
  }
}

// A to I do not overlap; J to Q begin and end before, with and behind them.
TEST(DefragmenterOverlap, FragmentsOfNovak2005) {
  const std::vector<Lettered> pieces = {
      {'A', 0, 3},  {'B', 4, 2},  {'C', 6, 3},  {'D', 10, 1}, {'E', 13, 2}, {'F', 15, 3},
      {'G', 18, 2}, {'H', 20, 2}, {'I', 22, 1}, {'J', 1, 4},  {'K', 6, 3},  {'L', 9, 3},
      {'M', 12, 3}, {'N', 16, 1}, {'O', 19, 1}, {'P', 20, 1}, {'Q', 22, 2}};
  for (const auto& [policy, result] :
       {Example{OverlapPolicy::kFirst, "AAAJBBCCCLDLMEEFFFGGHHIQ"},
        Example{OverlapPolicy::kLast, "AJJJJBKKKLLLMMMFNFGOPHQQ"},
        Example{OverlapPolicy::kBsd, "AAAJJBCCCLLLMMMFFFGGHHIQ"},
        Example{OverlapPolicy::kLinux, "AAAJJBKKKLLLMMMFFFGGPHQQ"},
        Example{OverlapPolicy::kSolaris, "AAAJBBCCCLLLMMMFFFGGHHIQ"},
        Example{OverlapPolicy::kWindows, "AAAJBBCCCLLLMEEFFFGGHHIQ"},
        Example{OverlapPolicy::kBsdRight, "AJJJBBKKKLLLMMMFFFGGHHQQ"}}) {
    EXPECT_EQ(Result(policy, pieces), result) << Name(policy);
  }
}

// The second fragment takes B's front, so that the third one meets what is left of it.
TEST(DefragmenterOverlap, WhatIsLeftOfAFragmentIsComparedNotWhatItWas) {
  const std::vector<Lettered> pieces = {{'A', 2, 4}, {'B', 0, 4}, {'C', 3, 3}, {'D', 6, 1}};
  EXPECT_EQ(Result(OverlapPolicy::kBsd, pieces), "BBBBCCD");  // A starts at 4 now
  EXPECT_EQ(Result(OverlapPolicy::kFirst, pieces), "BBAAAAD");
}

TEST(DefragmenterOverlap, CountsOverlapsAndContradictionsButNoRepetitions) {
  Bench bench;
  Feed(bench, {'A', 1, 2}, true);
  Feed(bench, {'A', 1, 2}, true);
  EXPECT_EQ(bench.counters().overlaps, 0u);
  Feed(bench, {'A', 2, 2}, true);
  EXPECT_EQ(bench.counters().overlaps, 1u);
  EXPECT_EQ(bench.counters().conflicts, 0u);
  Feed(bench, {'B', 3, 2}, true);
  EXPECT_EQ(bench.counters().overlaps, 2u);
  EXPECT_EQ(bench.counters().conflicts, 1u);
}

TEST(DefragmenterOverlap, NoPolicyMakesAnIpv6OverlapValid) {  // RFC 5722 section 4
  for (size_t i = 0; i < kOverlapPolicies; ++i) {
    Bench bench({.overlap = static_cast<OverlapPolicy>(i)});
    bench.Feed(Frame6({0, Bytes(24, 1), true}));
    EXPECT_EQ(bench.Feed(Frame6({16, Bytes(24, 2), false})).verdict, Verdict::kFragmentDropped);
    EXPECT_EQ(bench.dropped(FragmentDrop::kOverlap), 2u);
    EXPECT_EQ(bench.counters().conflicts, 1u);
    EXPECT_EQ(bench.counters().completed, 0u);
  }
}

}  // namespace
}  // namespace weir::test

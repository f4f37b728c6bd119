// The reassembler beside a map from place to byte, on random segments: a million cases in all.
//
// WEIR_MODEL_CASES says how many cases each of these tests runs, WEIR_MODEL_SEED which ones,
// WEIR_MODEL_KIND of what kind only. With sanitizers there are fewer.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "tests/model/stream_case.h"
#include "tests/model/stream_check.h"
#include "tests/model/stream_shrink.h"

#if defined(__has_feature)
#define WEIR_HAS_FEATURE(x) __has_feature(x)
#else
#define WEIR_HAS_FEATURE(x) 0
#endif

namespace weir::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    WEIR_HAS_FEATURE(address_sanitizer) || WEIR_HAS_FEATURE(thread_sanitizer)
constexpr uint64_t kShare = 20;
#else
constexpr uint64_t kShare = 1;
#endif

uint64_t Number(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// A kind of cases.
struct Kind {
  const char* name;
  StreamOptions options;
  StreamMix mix;
  uint64_t cases;  // for each policy
};

constexpr int64_t kSecond = 1'000'000'000;

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {
      // Small and dense: everything collides with everything.
      {"Dense", {.memory_bytes = 1 << 20}, {.operations = 24}, 34'000},
      {"Tiny", {.memory_bytes = 1 << 20}, {.stream_bytes = 12, .segment_bytes = 5}, 12'000},
      {"BothSides",
       {.memory_bytes = 1 << 20},
       {.operations = 40, .connections = 2, .both_sides = true},
       3'000},
      {"History", {.memory_bytes = 1 << 20, .history_bytes = 4096}, {.lies = 60}, 8'000},
      {"StreamLimits",
       {.memory_bytes = 1 << 20, .stream_bytes = 60, .stream_pieces = 3},
       {.operations = 30, .in_order = 15},
       4'000},
      {"Depth", {.memory_bytes = 1 << 20, .depth = 70}, {}, 2'000},
      {"ShortTimes",
       {.memory_bytes = 1 << 20, .hole_timeout_ns = kSecond, .acknowledged_grace_ns = 0},
       {.odd = 15},
       2'000},
      {"NoTimes",
       {.memory_bytes = 1 << 20, .hole_timeout_ns = 0, .acknowledged_grace_ns = 1000 * kSecond},
       {},
       1'000},
      {"SmallWindow", {.memory_bytes = 1 << 20, .max_window = 50}, {.acknowledges = 0}, 1'000},
      // Memory for some thirty chunks, and streams that fight for it.
      {"Pressure",
       {.memory_bytes = 40 << 10, .stream_bytes = 0, .stream_pieces = 0},
       {.stream_bytes = 6'000,
        .segment_bytes = 2'500,
        .operations = 40,
        .connections = 2,
        .both_sides = true,
        .lies = 20,
        .in_order = 10},
       150},
      // Pieces across chunks.
      {"Large",
       {.memory_bytes = 4 << 20, .history_bytes = 3000},
       {.stream_bytes = 30'000, .segment_bytes = 9'000, .operations = 12, .lies = 20},
       120},
      {"Huge",
       {.memory_bytes = 4 << 20},
       {.stream_bytes = 150'000, .segment_bytes = 65'000, .operations = 8, .lies = 20},
       12},
  };
  return kinds;
}

bool FailsAlone(const StreamCase& test_case) {
  return StreamCheck(test_case.options).Run(test_case).has_value();
}

void Report(const Kind& kind, uint64_t seed, const StreamCase& failed, const std::string& what) {
  if (!FailsAlone(failed)) {
    FAIL() << kind.name << ", seed " << seed << ", only after the cases before it: " << what << "\n"
           << Print(failed);
  }
  const StreamCase small = Shrink(failed, FailsAlone);
  FAIL() << kind.name << ", seed " << seed << ": " << *StreamCheck(small.options).Run(small) << "\n"
         << Print(small);
}

// A case that never comes tests nothing.
void ExpectThatAllWasMet(const StreamCounters& met, OverlapPolicy policy) {
  for (size_t i = 0; i < kHoleReasons; ++i) {
    const auto reason = static_cast<HoleReason>(i);
    if (reason == HoleReason::kTruncated && NewCanWin(policy)) continue;  // bytes are held
    EXPECT_NE(met.holes[i], 0u) << Name(reason);
  }
  for (Refused reason : {Refused::kLate, Refused::kBeforeStart, Refused::kOutOfWindow,
                         Refused::kAfterEnd, Refused::kDepth, Refused::kStopped}) {
    EXPECT_NE(met.refused[static_cast<size_t>(reason)], 0u) << Name(reason);
  }
  EXPECT_NE(met.conflicts, 0u);
  EXPECT_NE(met.uncompared, 0u);
  EXPECT_NE(met.out_of_order, 0u);
}

class ReassemblerModel : public testing::TestWithParam<size_t> {};

TEST_P(ReassemblerModel, AgreesWithAByteMap) {
  // Each seed stands for so many cases that one reassembler runs, one after the other.
  constexpr uint64_t kCasesOfASeed = 500;
  const uint64_t wanted = Number("WEIR_MODEL_CASES", 0);
  const uint64_t first = Number("WEIR_MODEL_SEED", 1);
  const char* only = std::getenv("WEIR_MODEL_KIND");
  uint64_t all = 0;
  for (const Kind& kind : Kinds()) all += kind.cases;
  uint64_t sum = 0;
  StreamCounters met;
  for (const Kind& kind : Kinds()) {
    if (only != nullptr && std::string_view(only) != kind.name) continue;
    StreamOptions options = kind.options;
    options.overlap = static_cast<OverlapPolicy>(GetParam());
    const uint64_t cases =
        wanted != 0 ? std::max<uint64_t>(1, kind.cases * wanted / all) : kind.cases / kShare + 1;
    uint64_t seed = first;
    for (uint64_t run = 0; run < cases; ++seed) {
      std::mt19937_64 random(seed * 64 + GetParam());
      StreamCheck check(options);
      for (uint64_t i = 0; i < kCasesOfASeed && run < cases; ++i, ++run) {
        const StreamCase test_case = RandomCase(options, kind.mix, random);
        if (const auto difference = check.Run(test_case)) {
          return Report(kind, seed, test_case, *difference);
        }
      }
      met.Add(check.counters());
    }
    sum += cases;
  }
  RecordProperty("cases", std::to_string(sum));
  if (only == nullptr && wanted == 0 && kShare == 1) {
    ExpectThatAllWasMet(met, static_cast<OverlapPolicy>(GetParam()));
  }
}

INSTANTIATE_TEST_SUITE_P(Overlap, ReassemblerModel, testing::Range(size_t{0}, kOverlapPolicies),
                         [](const auto& policy) {
                           std::string name(kOverlapPolicyNames[policy.param]);
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace weir::test

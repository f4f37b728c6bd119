// The same rules give the same verdict in XDP, in the socket filter, as classic BPF and in
// user space: over
// generated frames, and over the corpus where there is one.
#include "tests/bpf/filter_fixture.h"

#include <cstdlib>
#include <filesystem>

#include "rings/capture_file_source.h"
#include "tests/support/filter_frames.h"

namespace weir::test {
namespace {

class FilterTest : public FilterPlacesTest {};

TEST_F(FilterTest, WithoutARuleSetEverythingPasses) {
  const Bytes arp = PacketBuilder().Ethernet().Raw(Bytes(28, 1), 0x0806).Build();
  EXPECT_FALSE(Judge(AsFrame(arp)).has_value());
  ExpectCounts();
}

TEST_F(FilterTest, AllPlacesAgreeOnGeneratedFrames) {
  FilterFrames frames(1);
  uint64_t judged = 0;
  for (int round = 0; round < 100 && !HasFailure(); ++round) {
    ASSERT_NO_FATAL_FAILURE(Use(frames.Rules()));
    for (int i = 0; i < 100 && !HasFailure(); ++i, ++judged) {
      const Bytes bytes = frames.Next();
      Judge(AsFrame(bytes));
    }
  }
  ExpectCounts();
  uint64_t refused = 0;
  for (const FilterReason reason :
       {FilterReason::kNotIp, FilterReason::kVlan, FilterReason::kIgnoredDestination,
        FilterReason::kNotAcceptedSource}) {
    const uint64_t count = this->refused()[static_cast<size_t>(reason)];
    EXPECT_GT(count, judged / 50) << Name(reason);
    refused += count;
  }
  EXPECT_LT(refused, judged * 9 / 10);
}

TEST_F(FilterTest, AllPlacesAgreeOnLongLists) {
  FilterFrames frames(2);
  for (int round = 0; round < 5 && !HasFailure(); ++round) {
    ASSERT_NO_FATAL_FAILURE(Use(frames.Rules(2000)));
    for (int i = 0; i < 500 && !HasFailure(); ++i) {
      const Bytes bytes = frames.Next();
      Judge(AsFrame(bytes));
    }
  }
  ExpectCounts();
}

// Rules that split what captures hold: private networks, one half of all addresses.
FilterRules RulesForCaptures(bool other) {
  FilterRules rules;
  rules.ip_only = !other;
  rules.ignore_destinations =
      *CidrSet::Parse(other ? "128.0.0.0/1\nff00::/8\n" : "192.168.0.0/16\nfe80::/10\n", "ignore");
  rules.accept_sources =
      *CidrSet::Parse(other ? "0.0.0.0/1\n192.0.0.0/3\n::/0\n" : "0.0.0.0/0\n2000::/3\n", "accept");
  if (other) rules.vlans.emplace().flip().reset(100).reset(1);
  return rules;
}

TEST_F(FilterTest, AllPlacesAgreeOnTheCorpus) {
  const char* const given = std::getenv("WEIR_CORPUS");
  const std::filesystem::path corpus = given != nullptr ? given : WEIR_DEFAULT_CORPUS;
  if (!std::filesystem::is_directory(corpus)) GTEST_SKIP() << "no corpus at " << corpus;
  uint64_t judged = 0;
  for (const bool other : {false, true}) {
    ASSERT_NO_FATAL_FAILURE(Use(RulesForCaptures(other)));
    for (const auto& file : std::filesystem::recursive_directory_iterator(corpus)) {
      if (!file.is_regular_file()) continue;
      auto source = OpenCaptureFile(file.path().string());
      if (!source.ok()) continue;  // no capture
      Frame frames[kBatchFrames];
      while (const int count = (*source)->Receive(frames)) {
        for (int i = 0; i < count && !HasFailure(); ++i) {
          if (frames[i].link_type != link_type::kEthernet || frames[i].captured_length < 14) {
            continue;
          }
          Judge(frames[i]);
          ++judged;
        }
        (*source)->Release();
      }
      ASSERT_FALSE(HasFailure()) << file.path();
    }
  }
  ExpectCounts();
  EXPECT_GT(judged, 1000u);
}

}  // namespace
}  // namespace weir::test

// The defragmenter beside an array of bytes and their owners, on random pieces, for each policy.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/engine/packet/defragmenting.h"

namespace weir::test {
namespace {

constexpr uint8_t kOpaque = 253;  // RFC 3692: no header behind it, the payload is the datagram

// Where a piece begins and ends, in bytes.
struct Range {
  uint32_t begin = 0, end = 0;
};

// The published rules in words of their own, one at a time.
bool NewWins(OverlapPolicy policy, Range old, Range fresh) {
  const bool begins_before = fresh.begin < old.begin;
  switch (policy) {
    case OverlapPolicy::kFirst:
    case OverlapPolicy::kOldSolaris:
    case OverlapPolicy::kHpux11:
    case OverlapPolicy::kMacos:
      return false;
    case OverlapPolicy::kLast:
      return true;
    case OverlapPolicy::kBsd:
    case OverlapPolicy::kHpux10:
    case OverlapPolicy::kIrix:
      return begins_before;
    case OverlapPolicy::kBsdRight:
      return fresh.end > old.end || (fresh.end == old.end && fresh.begin <= old.begin);
    case OverlapPolicy::kOldLinux:
    case OverlapPolicy::kLinux:
      return begins_before || fresh.begin == old.begin;
    case OverlapPolicy::kSolaris:
      return begins_before && fresh.end >= old.end;
    case OverlapPolicy::kWindows:
    case OverlapPolicy::kVista:
    case OverlapPolicy::kWindows2k3:
      return begins_before && fresh.end > old.end;
    case OverlapPolicy::kCount:
      break;
  }
  return false;
}

// The obvious way: each byte, and the piece it is from.
class Model {
 public:
  enum class Result { kHeld, kDropped, kCompleted };

  Model(bool ipv6, OverlapPolicy policy) : ipv6_(ipv6), policy_(policy) {}

  Result Add(const Cut& cut) {
    const Range fresh = {cut.offset, cut.offset + static_cast<uint32_t>(cut.bytes.size())};
    if (refused_) return Result::kDropped;
    const bool fits = Fits(cut, fresh);
    const bool overlapped = fits && CountOverlap(cut);
    if (ipv6_ && (!fits || overlapped)) refused_ = true;
    if (!fits || refused_) return Result::kDropped;
    const std::vector<bool> wins = Winners(fresh);
    if (places_.size() < fresh.end) places_.resize(fresh.end);
    ++pieces_;
    for (uint32_t at = fresh.begin; at < fresh.end; ++at) {
      const int owner = places_[at].owner;
      if (owner == 0 || wins[owner]) places_[at] = {cut.bytes[at - cut.offset], pieces_};
    }
    if (!cut.more) total_ = fresh.end;
    return total_ != 0 && IsFull() ? Result::kCompleted : Result::kHeld;
  }

  Bytes bytes() const {
    Bytes all;
    for (const Place& place : places_) all.push_back(place.byte);
    return all;
  }
  uint64_t overlaps() const { return overlaps_; }
  uint64_t conflicts() const { return conflicts_; }

 private:
  struct Place {
    uint8_t byte = 0;
    int owner = 0;  // 0 = nothing is there
  };

  bool Fits(const Cut& cut, Range fresh) const {
    if (total_ != 0) return cut.more ? fresh.end <= total_ : fresh.end == total_;
    return cut.more || fresh.end >= places_.size();
  }

  bool IsFull() const {
    return std::all_of(places_.begin(), places_.end(), [](const Place& p) { return p.owner != 0; });
  }

  bool CountOverlap(const Cut& cut) {
    bool met_old = false, met_new = false, differs = false;
    for (size_t i = 0; i < cut.bytes.size(); ++i) {
      const size_t at = cut.offset + i;
      const bool is_old = at < places_.size() && places_[at].owner != 0;
      (is_old ? met_old : met_new) = true;
      differs |= is_old && places_[at].byte != cut.bytes[i];
    }
    const bool overlapped = met_old && (differs || met_new);
    overlaps_ += overlapped;
    conflicts_ += differs;
    return overlapped;
  }

  // For each piece of which something is left: whether the new one replaces it.
  std::vector<bool> Winners(Range fresh) const {
    std::vector<Range> left(pieces_ + 1u);
    for (uint32_t at = 0; at < places_.size(); ++at) {
      Range& range = left[places_[at].owner];
      if (range.end == 0) range.begin = at;
      range.end = at + 1;
    }
    std::vector<bool> wins;
    for (const Range& range : left) wins.push_back(NewWins(policy_, range, fresh));
    return wins;
  }

  bool ipv6_;
  OverlapPolicy policy_;
  bool refused_ = false;
  int pieces_ = 0;
  uint64_t overlaps_ = 0;
  uint64_t conflicts_ = 0;
  uint32_t total_ = 0;  // unknown
  std::vector<Place> places_;
};

// Pieces of one datagram, in disorder, repeated, overlapping, some with other bytes. Small ones
// with many relations, or such as reach over the store's pages.
std::vector<Cut> RandomPieces(std::mt19937& random) {
  const bool is_large = random() % 32 == 0;
  const uint32_t most = is_large ? 3000 : 160;
  const uint32_t step = is_large ? (random() % 20 + 1) * 8 : (random() % 4 + 1) * 8;
  Bytes datagram(random() % most + 9);
  for (uint8_t& byte : datagram) byte = static_cast<uint8_t>(random());
  std::vector<Cut> pieces = CutUp(datagram, step);
  for (uint32_t extra = random() % 8; extra > 0; --extra) {
    Cut piece = pieces[random() % pieces.size()];
    switch (random() % 8) {
      case 0:
        break;
      case 1:
        piece.bytes[random() % piece.bytes.size()] ^= 1;
        break;
      case 2:
        if (piece.more) piece.offset += 8;
        break;
      case 3:
        piece.bytes.assign((random() % 10 + 1) * 8, static_cast<uint8_t>(random()));
        piece.more = random() % 8 != 0;
        break;
      default: {  // from anywhere to anywhere within
        const uint32_t units = static_cast<uint32_t>(datagram.size() / 8);
        piece.offset = random() % units * 8;
        piece.bytes.resize((random() % (units - piece.offset / 8) + 1) * 8);
        for (uint8_t& byte : piece.bytes) byte = static_cast<uint8_t>(random());
        piece.more = true;
      }
    }
    pieces.push_back(piece);
  }
  std::erase_if(pieces, [](const Cut& cut) { return cut.offset == 0 && !cut.more; });  // whole
  if (random() % 4 != 0) std::shuffle(pieces.begin(), pieces.end(), random);
  return pieces;
}

void Compare(Bench& bench, bool ipv6, OverlapPolicy policy, const std::vector<Cut>& pieces) {
  Model model(ipv6, policy);
  uint64_t overlaps = bench.counters().overlaps, conflicts = bench.counters().conflicts;
  for (const Cut& piece : pieces) {
    const Packet& p =
        bench.Feed(ipv6 ? Frame6(piece, 7, kOpaque) : Frame4(piece, 7, Ethernet(), kOpaque));
    const Model::Result expected = model.Add(piece);
    ASSERT_EQ(bench.counters().overlaps, overlaps + model.overlaps());
    ASSERT_EQ(bench.counters().conflicts, conflicts + model.conflicts());
    if (expected == Model::Result::kHeld) {
      ASSERT_EQ(p.verdict, Verdict::kFragmentHeld);
    } else if (expected == Model::Result::kDropped) {
      ASSERT_EQ(p.verdict, Verdict::kFragmentDropped);
      ASSERT_EQ(p.reason, uint8_t(FragmentDrop::kOverlap));
    } else {
      const Bytes whole = model.bytes();
      ASSERT_EQ(p.flags & packet_flag::kDefragmented, packet_flag::kDefragmented);
      ASSERT_EQ(p.payload_length, whole.size());
      ASSERT_EQ(p.payload_wire_length, whole.size());
      ASSERT_TRUE(std::equal(whole.begin(), whole.end(), p.payload));
      overlaps += model.overlaps(), conflicts += model.conflicts();
      model = Model(ipv6, policy);  // what still comes starts anew
    }
  }
}

std::vector<OverlapPolicy> AllPolicies() {
  std::vector<OverlapPolicy> all(kOverlapPolicies);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<OverlapPolicy>(i);
  return all;
}

class DefragmenterModel : public testing::TestWithParam<OverlapPolicy> {};

TEST_P(DefragmenterModel, AgreesWithAnArrayOfBytes) {
  constexpr int kRounds = 10'000;
  const OverlapPolicy policy = GetParam();
  std::mt19937 random(11 + static_cast<unsigned>(policy));
  Bench bench({.max_datagrams = 8, .max_bytes = 1 << 16, .overlap = policy});
  for (int round = 0; round < kRounds && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(round);
    Compare(bench, round % 8 == 0, policy, RandomPieces(random));
    bench.defragmenter().Flush();
  }
  EXPECT_GT(bench.counters().completed, uint64_t{kRounds} / 4);
  EXPECT_GT(bench.counters().conflicts, uint64_t{kRounds} / 4);
}

INSTANTIATE_TEST_SUITE_P(Policies, DefragmenterModel, testing::ValuesIn(AllPolicies()),
                         [](const auto& one) {
                           std::string name(Name(one.param));
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace weir::test

// The defragmenter beside a map from place to byte, on random pieces.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include "tests/engine/packet/defragmenting.h"

namespace weir::test {
namespace {

// The obvious way: a map from place to byte.
class Model {
 public:
  enum class Result { kHeld, kDropped, kCompleted };

  explicit Model(bool ipv6) : ipv6_(ipv6) {}

  Result Add(const Cut& cut) {
    const uint32_t end = cut.offset + static_cast<uint32_t>(cut.bytes.size());
    if (refused_) return Result::kDropped;
    const uint32_t seen = bytes_.empty() ? 0 : bytes_.rbegin()->first + 1;
    const bool fits =
        total_ ? (cut.more ? end <= *total_ : end == *total_) : (cut.more || end >= seen);
    uint32_t old = 0;
    bool differs = false;
    for (uint32_t at = cut.offset; at < end; ++at) {
      const auto it = bytes_.find(at);
      if (it == bytes_.end()) continue;
      ++old;
      differs |= it->second != cut.bytes[at - cut.offset];
    }
    const bool overlap = old != 0 && (differs || old != cut.bytes.size());
    if (ipv6_ && (!fits || overlap)) {
      refused_ = true;
      return Result::kDropped;
    }
    if (!fits) return Result::kDropped;
    for (uint32_t at = cut.offset; at < end; ++at) bytes_.emplace(at, cut.bytes[at - cut.offset]);
    if (!cut.more) total_ = end;
    return total_ && bytes_.size() == *total_ ? Result::kCompleted : Result::kHeld;
  }

  Bytes bytes() const {
    Bytes all;
    for (const auto& [at, byte] : bytes_) all.push_back(byte);
    return all;
  }

 private:
  bool ipv6_;
  bool refused_ = false;
  std::optional<uint32_t> total_;
  std::map<uint32_t, uint8_t> bytes_;
};

// Pieces of one datagram, in disorder, repeated, overlapping, some with other bytes.
std::vector<Cut> RandomPieces(std::mt19937& random) {
  std::vector<Cut> pieces = CutUp(UdpDatagram(random() % 1500 + 1), (random() % 20 + 1) * 8);
  for (uint32_t extra = random() % 4; extra > 0; --extra) {
    Cut piece = pieces[random() % pieces.size()];
    switch (random() % 4) {
      case 0:
        break;
      case 1:
        piece.bytes[random() % piece.bytes.size()] ^= 1;
        break;
      case 2:
        if (piece.more) piece.offset += 8;
        break;
      default:
        piece = {piece.offset, Bytes((random() % 10 + 1) * 8, 0x11), random() % 8 != 0};
    }
    pieces.push_back(piece);
  }
  std::erase_if(pieces, [](const Cut& cut) { return cut.offset == 0 && !cut.more; });  // whole
  if (random() % 4 != 0) std::shuffle(pieces.begin(), pieces.end(), random);
  return pieces;
}

TEST(DefragmenterModel, AgreesWithAByteMap) {
  std::mt19937 random(11);
  for (int round = 0; round < 5000 && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE(round);
    const bool ipv6 = round % 2 == 1;
    Bench bench({.max_datagrams = 8, .max_bytes = 1 << 16});
    std::optional<Model> model(ipv6);
    for (const Cut& piece : RandomPieces(random)) {
      const Packet& p = bench.Feed(ipv6 ? Frame6(piece) : Frame4(piece));
      const Model::Result expected = model->Add(piece);
      if (expected == Model::Result::kHeld) {
        ASSERT_EQ(p.verdict, Verdict::kFragmentHeld);
      } else if (expected == Model::Result::kDropped) {
        ASSERT_EQ(p.verdict, Verdict::kFragmentDropped);
      } else {
        ASSERT_EQ(p.flags & packet_flag::kDefragmented, packet_flag::kDefragmented);
        const Bytes whole = model->bytes();
        const size_t length = std::min<size_t>(p.payload_length, whole.size() - 8);
        ASSERT_TRUE(std::equal(p.payload, p.payload + length, whole.begin() + 8));
        model.emplace(ipv6);  // what still comes starts anew
      }
    }
  }
}

}  // namespace
}  // namespace weir::test

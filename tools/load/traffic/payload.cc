#include "tools/load/traffic/payload.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/packet/checksum.h"
#include "tools/load/traffic/random.h"

namespace weir::load {
namespace {

static_assert(std::endian::native == std::endian::little, "words are written as they are");

constexpr uint64_t kStep = 0xd6e8'feb8'6659'fd93;

constexpr uint64_t InverseOf(uint64_t odd) {
  uint64_t inverse = odd;  // right in 3 bits; each round doubles them (Newton)
  for (int i = 0; i < 5; ++i) inverse *= 2 - odd * inverse;
  return inverse;
}
constexpr uint64_t kInverse = InverseOf(kStep);
static_assert(kStep * kInverse == 1);

constexpr uint64_t kWordsOfDatagram = kDatagramStride / 8;
constexpr uint64_t kMostDatagrams = uint64_t{1} << 40;

// Two words at a time: what every x86-64 has registers for.
using Pair [[gnu::vector_size(16)]] = uint64_t;
constexpr size_t kBlockBytes = 64;
constexpr size_t kPairs = kBlockBytes / sizeof(Pair);

// The pattern from any offset on, in blocks. One that does not start at a word is put together of
// the upper bytes of each word and the lower ones of the next.
template <bool kAligned>
class Blocks {
 public:
  [[gnu::always_inline]] Blocks(uint64_t base, uint64_t offset) : shift_(offset % 8 * 8) {
    const uint64_t first = base + offset / 8 * kStep;
    for (size_t i = 0; i < kPairs; ++i) {
      lower_[i] = Pair{first + 2 * i * kStep, first + (2 * i + 1) * kStep};
    }
  }

  [[gnu::always_inline]] void Next(Pair* pairs) {
    for (size_t i = 0; i < kPairs; ++i) {
      pairs[i] = lower_[i];
      if (!kAligned) pairs[i] = pairs[i] >> shift_ | (lower_[i] + kStep) << (64 - shift_);
      lower_[i] += 2 * kPairs * kStep;
    }
  }
  [[gnu::always_inline]] void Next(uint8_t* block) {
    Pair pairs[kPairs];
    Next(pairs);
    std::memcpy(block, pairs, sizeof pairs);
  }

 private:
  uint64_t shift_;
  Pair lower_[kPairs];
};

// Sums as ChecksumAdd makes them: all words, and the upper halves apart, from which follows what
// the first sum carried out.
template <bool kAligned>
uint64_t WriteBlocks(Blocks<kAligned> blocks, std::span<uint8_t> to) {
  Pair all = {}, upper = {};
  for (; to.size() >= kBlockBytes; to = to.subspan(kBlockBytes)) {
    Pair pairs[kPairs];
    blocks.Next(pairs);
    std::memcpy(to.data(), pairs, sizeof pairs);
    for (const Pair& pair : pairs) {
      all += pair;
      upper += pair >> 32;
    }
  }
  const Pair sums = all - (upper << 32) + upper;
  const uint64_t sum = sums[0] + sums[1];
  if (to.empty()) return sum;
  uint8_t last[kBlockBytes];
  blocks.Next(last);
  std::memcpy(to.data(), last, to.size());
  return ChecksumAdd(last, to.size(), sum);
}

// What is less than a block's work.
constexpr size_t kFewBytes = 32;
uint64_t WriteFew(uint64_t base, uint64_t offset, std::span<uint8_t> to) {
  uint64_t word = base + offset / 8 * kStep, sum = 0;
  for (const uint64_t shift = offset % 8 * 8; !to.empty(); word += kStep) {
    uint64_t bytes = word >> shift;
    if (shift != 0) bytes |= (word + kStep) << (64 - shift);
    const size_t size = std::min(to.size(), sizeof bytes);
    if (size < sizeof bytes) bytes &= (uint64_t{1} << 8 * size) - 1;
    sum += (bytes & UINT32_MAX) + (bytes >> 32);
    std::memcpy(to.data(), &bytes, size);
    to = to.subspan(size);
  }
  return sum;
}

// Bytes of whole blocks that are right, before the first block that is not.
template <bool kAligned>
size_t MatchingBlocks(Blocks<kAligned> blocks, std::span<const uint8_t> bytes) {
  size_t done = 0;
  for (; bytes.size() - done >= kBlockBytes; done += kBlockBytes) {
    Pair expected[kPairs], found[kPairs], difference = {};
    blocks.Next(expected);
    std::memcpy(found, bytes.data() + done, sizeof found);
    for (size_t i = 0; i < kPairs; ++i) difference |= expected[i] ^ found[i];
    if ((difference[0] | difference[1]) != 0) break;
  }
  return done;
}

}  // namespace

PayloadPattern::PayloadPattern(uint64_t seed, uint64_t flow, int direction)
    : base_(Mix64(seed ^ Mix64(flow * 2 + static_cast<uint64_t>(direction) + 1))) {}

uint64_t PayloadPattern::Write(uint64_t offset, std::span<uint8_t> to) const {
  if (to.size() <= kFewBytes) return WriteFew(base_, offset, to);
  return offset % 8 == 0 ? WriteBlocks(Blocks<true>(base_, offset), to)
                         : WriteBlocks(Blocks<false>(base_, offset), to);
}

size_t PayloadPattern::Matching(uint64_t offset, std::span<const uint8_t> bytes) const {
  const size_t done = offset % 8 == 0 ? MatchingBlocks(Blocks<true>(base_, offset), bytes)
                                      : MatchingBlocks(Blocks<false>(base_, offset), bytes);
  if (done == bytes.size()) return done;
  const std::span rest = bytes.subspan(done, std::min(bytes.size() - done, kBlockBytes));
  uint8_t expected[kBlockBytes];
  Write(offset + done, std::span(expected).first(rest.size()));
  if (std::memcmp(rest.data(), expected, rest.size()) == 0) return done + rest.size();
  return done + static_cast<size_t>(std::mismatch(rest.begin(), rest.end(), expected).first -
                                    rest.begin());
}

std::optional<uint64_t> PayloadPattern::DatagramOffset(std::span<const uint8_t> bytes) const {
  uint64_t word;
  if (bytes.size() < sizeof word) return std::nullopt;
  std::memcpy(&word, bytes.data(), sizeof word);
  const uint64_t index = (word - base_) * kInverse;
  if (index % kWordsOfDatagram != 0 || index / kWordsOfDatagram >= kMostDatagrams) {
    return std::nullopt;
  }
  return index * 8;
}

std::optional<uint64_t> PayloadPattern::Locate(std::span<const uint8_t> bytes) const {
  constexpr uint64_t kMostWords = uint64_t{1} << 40;
  constexpr size_t kNeeded = 15;  // a whole word, wherever the first one starts
  if (bytes.size() < kNeeded) return std::nullopt;
  for (size_t skip = 0; skip < 8; ++skip) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + skip, sizeof word);
    const uint64_t index = (word - base_) * kInverse;
    if (index >= kMostWords || index * 8 < skip) continue;
    const uint64_t offset = index * 8 - skip;
    if (Matching(offset, bytes.first(kNeeded)) == kNeeded) return offset;
  }
  return std::nullopt;
}

}  // namespace weir::load

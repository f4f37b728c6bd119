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

// Four words at a time, in one register or two. Everything down to the functions named Avx2 is
// compiled for each instruction set.
using Words [[gnu::vector_size(32)]] = uint64_t;
constexpr size_t kBlockBytes = 64;
constexpr size_t kParts = kBlockBytes / sizeof(Words);

// The pattern from any offset on, in blocks. One that does not start at a word is put together of
// the upper bytes of each word and the lower ones of the next.
template <bool kAligned>
class Blocks {
 public:
  [[gnu::always_inline]] Blocks(uint64_t base, uint64_t offset) : shift_(offset % 8 * 8) {
    lower_[0] = base + offset / 8 * kStep + Words{0, kStep, 2 * kStep, 3 * kStep};
    for (size_t i = 1; i < kParts; ++i) lower_[i] = lower_[i - 1] + 4 * kStep;
  }

  [[gnu::always_inline]] void Next(Words* block) {
    for (size_t i = 0; i < kParts; ++i) {
      block[i] = lower_[i];
      if (!kAligned) block[i] = block[i] >> shift_ | (lower_[i] + kStep) << (64 - shift_);
      lower_[i] += 4 * kParts * kStep;
    }
  }

 private:
  uint64_t shift_;
  Words lower_[kParts];
};

// Sums as ChecksumAdd makes them: all words, and the upper halves apart, from which follows what
// the first sum carried out.
template <bool kAligned>
[[gnu::always_inline]] inline uint64_t WriteBlocks(uint64_t base, uint64_t offset, uint8_t* to,
                                                   size_t size) {
  Blocks<kAligned> blocks(base, offset);
  Words all = {}, upper = {}, block[kParts];
  for (; size >= kBlockBytes; size -= kBlockBytes, to += kBlockBytes) {
    blocks.Next(block);
    for (size_t i = 0; i < kParts; ++i) {
      std::memcpy(to + i * sizeof(Words), &block[i], sizeof(Words));
      all += block[i];
      upper += block[i] >> 32;
    }
  }
  const Words sums = all - (upper << 32) + upper;
  const uint64_t sum = sums[0] + sums[1] + sums[2] + sums[3];
  if (size == 0) return sum;
  blocks.Next(block);
  std::memcpy(to, block, size);
  return ChecksumAdd(block, size, sum);
}

// Whether whole blocks are right.
template <bool kAligned>
[[gnu::always_inline]] inline bool CheckBlocks(uint64_t base, uint64_t offset, const uint8_t* bytes,
                                               size_t size) {
  Blocks<kAligned> blocks(base, offset);
  Words difference = {};
  for (; size >= kBlockBytes; size -= kBlockBytes, bytes += kBlockBytes) {
    Words expected[kParts];
    blocks.Next(expected);
    for (size_t i = 0; i < kParts; ++i) {
      Words found;  // one by one: a copy of all would go through memory
      std::memcpy(&found, bytes + i * sizeof found, sizeof found);
      difference |= expected[i] ^ found;
    }
  }
  return (difference[0] | difference[1] | difference[2] | difference[3]) == 0;
}

uint64_t WritePortable(uint64_t base, uint64_t offset, uint8_t* to, size_t size) {
  return offset % 8 == 0 ? WriteBlocks<true>(base, offset, to, size)
                         : WriteBlocks<false>(base, offset, to, size);
}
bool CheckPortable(uint64_t base, uint64_t offset, const uint8_t* bytes, size_t size) {
  return offset % 8 == 0 ? CheckBlocks<true>(base, offset, bytes, size)
                         : CheckBlocks<false>(base, offset, bytes, size);
}

#ifdef __x86_64__
[[gnu::target("avx2")]] uint64_t WriteAvx2(uint64_t base, uint64_t offset, uint8_t* to,
                                           size_t size) {
  return offset % 8 == 0 ? WriteBlocks<true>(base, offset, to, size)
                         : WriteBlocks<false>(base, offset, to, size);
}
[[gnu::target("avx2")]] bool CheckAvx2(uint64_t base, uint64_t offset, const uint8_t* bytes,
                                       size_t size) {
  return offset % 8 == 0 ? CheckBlocks<true>(base, offset, bytes, size)
                         : CheckBlocks<false>(base, offset, bytes, size);
}
bool HasAvx2() { return __builtin_cpu_supports("avx2"); }
#else
constexpr auto WriteAvx2 = WritePortable;
constexpr auto CheckAvx2 = CheckPortable;
bool HasAvx2() { return false; }
#endif

// The eight bytes at any offset.
[[gnu::always_inline]] inline uint64_t BytesAt(uint64_t base, uint64_t offset) {
  const uint64_t word = base + offset / 8 * kStep, shift = offset % 8 * 8;
  return shift == 0 ? word : word >> shift | (word + kStep) << (64 - shift);
}

// What is less than a block's work.
constexpr size_t kFewBytes = 32;
uint64_t WriteFew(uint64_t base, uint64_t offset, std::span<uint8_t> to) {
  uint64_t sum = 0;
  while (!to.empty()) {
    uint64_t bytes = BytesAt(base, offset);
    const size_t size = std::min(to.size(), sizeof bytes);
    if (size < sizeof bytes) bytes &= (uint64_t{1} << 8 * size) - 1;
    sum += (bytes & UINT32_MAX) + (bytes >> 32);
    std::memcpy(to.data(), &bytes, size);
    to = to.subspan(size);
    offset += size;
  }
  return sum;
}

size_t MatchFew(uint64_t base, uint64_t offset, std::span<const uint8_t> bytes) {
  size_t done = 0;
  for (uint64_t found; bytes.size() - done >= sizeof found; done += sizeof found) {
    std::memcpy(&found, bytes.data() + done, sizeof found);
    const uint64_t difference = found ^ BytesAt(base, offset + done);
    if (difference != 0) return done + static_cast<size_t>(std::countr_zero(difference) / 8);
  }
  uint64_t expected = BytesAt(base, offset + done);
  for (; done < bytes.size() && bytes[done] == (expected & 0xff); ++done) expected >>= 8;
  return done;
}

}  // namespace

PayloadPattern::PayloadPattern(uint64_t seed, uint64_t flow, int direction)
    : base_(Mix64(seed ^ Mix64(flow * 2 + static_cast<uint64_t>(direction) + 1))) {}

uint64_t PayloadPattern::Write(uint64_t offset, std::span<uint8_t> to) const {
  if (to.size() <= kFewBytes) return WriteFew(base_, offset, to);
  return (HasAvx2() ? WriteAvx2 : WritePortable)(base_, offset, to.data(), to.size());
}

size_t PayloadPattern::Matching(uint64_t offset, std::span<const uint8_t> bytes) const {
  size_t done = bytes.size() / kBlockBytes * kBlockBytes;
  const auto check = HasAvx2() ? CheckAvx2 : CheckPortable;
  if (done != 0 && !check(base_, offset, bytes.data(), done)) done = 0;  // where: word by word
  return done + MatchFew(base_, offset + done, bytes.subspan(done));
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

#include "tools/load/traffic/payload.h"

#include <algorithm>
#include <bit>
#include <cstring>

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

// The pattern from any offset on, in blocks. A block that does not start at a word is put together
// of the upper bytes of one word and the lower bytes of the next.
class Stepper {
 public:
  Stepper(uint64_t base, uint64_t offset) : shift_(offset % 8 * 8) {
    const uint64_t first = base + offset / 8 * kStep;
    for (size_t i = 0; i < std::size(lower_); ++i) {
      lower_[i] = Pair{first + 2 * i * kStep, first + (2 * i + 1) * kStep};
    }
  }

  [[gnu::always_inline]] Pair Next(size_t i) {
    const Pair lower = lower_[i];
    lower_[i] += 8 * kStep;
    if (shift_ == 0) return lower;
    return lower >> shift_ | (lower + kStep) << (64 - shift_);
  }
  [[gnu::always_inline]] void NextBlock(uint8_t* to) {
    for (size_t i = 0; i < std::size(lower_); ++i) {
      const Pair pair = Next(i);
      std::memcpy(to + 16 * i, &pair, sizeof pair);
    }
  }
  [[gnu::always_inline]] bool NextBlockIs(const uint8_t* bytes) {
    Pair difference = {};
    for (size_t i = 0; i < std::size(lower_); ++i) {
      Pair pair;
      std::memcpy(&pair, bytes + 16 * i, sizeof pair);
      difference |= pair ^ Next(i);
    }
    return (difference[0] | difference[1]) == 0;
  }

 private:
  uint64_t shift_;
  Pair lower_[kBlockBytes / 16];
};

}  // namespace

PayloadPattern::PayloadPattern(uint64_t seed, uint64_t flow, int direction)
    : base_(Mix64(seed ^ Mix64(flow * 2 + static_cast<uint64_t>(direction) + 1))) {}

void PayloadPattern::Write(uint64_t offset, std::span<uint8_t> to) const {
  Stepper stepper(base_, offset);
  for (; to.size() >= kBlockBytes; to = to.subspan(kBlockBytes)) stepper.NextBlock(to.data());
  if (to.empty()) return;
  uint8_t block[kBlockBytes];
  stepper.NextBlock(block);
  std::memcpy(to.data(), block, to.size());
}

size_t PayloadPattern::Matching(uint64_t offset, std::span<const uint8_t> bytes) const {
  Stepper stepper(base_, offset);
  size_t done = 0;
  while (bytes.size() - done >= kBlockBytes && stepper.NextBlockIs(bytes.data() + done)) {
    done += kBlockBytes;
  }
  if (done == bytes.size()) return done;
  uint8_t block[kBlockBytes];
  Stepper(base_, offset + done).NextBlock(block);
  const std::span<const uint8_t> rest =
      bytes.subspan(done, std::min(bytes.size() - done, kBlockBytes));
  return done +
         static_cast<size_t>(std::mismatch(rest.begin(), rest.end(), std::begin(block)).first -
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

}  // namespace weir::load

// Zeek's history letters, four bits each: what each side of a flow did, in the order it first did
// it. https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html, field history.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace weir {

enum class HistoryLetter : uint8_t { kNone, kSyn, kSynAck, kAck, kData, kFin, kRst, kFlip };

inline constexpr uint8_t kHistoryResponder = 8;  // lower case
inline constexpr int kHistoryLetters = 18;

class History {
 public:
  explicit History(uint8_t* nibbles) : nibbles_(nibbles) {}

  void Clear() {
    for (int i = 0; i < kHistoryLetters / 2; ++i) nibbles_[i] = 0;
  }

  // Drops the letter when there is no room: eighteen are more than two sides can do for the first
  // time.
  void Push(HistoryLetter letter, bool responder) {
    const auto code =
        static_cast<uint8_t>(static_cast<uint8_t>(letter) | (responder ? kHistoryResponder : 0));
    static_assert(std::endian::native == std::endian::little);
    uint64_t first;  // sixteen letters; none is 0, so that the highest tells how many there are
    std::memcpy(&first, nibbles_, sizeof first);
    const int used = (67 - std::countl_zero(first)) / 4;
    if (used < 16) [[likely]] {
      first |= uint64_t{code} << 4 * used;
      std::memcpy(nibbles_, &first, sizeof first);
    } else if (At(16) == 0) {
      nibbles_[8] = code;
    } else if (At(17) == 0) {
      nibbles_[8] = static_cast<uint8_t>(nibbles_[8] | code << 4);
    }
  }

  // The initiator turned out to be the other side: upper case becomes lower case, and a ^ follows.
  void Flip() {
    for (int i = 0; i < kHistoryLetters && At(i) != 0; ++i) {
      nibbles_[i / 2] = static_cast<uint8_t>(nibbles_[i / 2] ^ kHistoryResponder << (i % 2 * 4));
    }
    Push(HistoryLetter::kFlip, false);
  }

  // Writes the letters and a terminating 0.
  static void Spell(const uint8_t* nibbles, std::span<char> text) {
    constexpr char kLetters[] = "\0SHADFR^\0shadfr^";
    size_t i = 0;
    for (; i < kHistoryLetters && i + 1 < text.size(); ++i) {
      const int code = nibbles[i / 2] >> (i % 2 * 4) & 0xf;
      if (code == 0) break;
      text[i] = kLetters[code];
    }
    text[i] = 0;
  }

 private:
  int At(int i) const { return nibbles_[i / 2] >> (i % 2 * 4) & 0xf; }

  uint8_t* nibbles_;
};

}  // namespace weir
